# shellcheck shell=dash
# Sourced by the init script and the hooks: fw4's include, hotplug. Nothing here waits, fails or prints.

BGPWARDEN_CONTROL=/var/run/bgpwarden/control
BGPWARDEN_PID_FILE=/var/run/bgpwarden.pid
BGPWARDEN_TABLE=/etc/bgpwarden/table.nft
BGPWARDEN_ENABLED=/etc/rc.d/S18bgpwarden
BGPWARDEN_PROGRAM=/usr/sbin/bgpwarden

# Finds what the daemon uses: the configuration file, or where it has mistakes the last good one (without one, defaults:
# there is nothing to be read then). Sets directory and name as uci takes them.
bgpwarden_find_config() {
	[ -z "$BGPWARDEN_CONFIG" ] || return 0
	BGPWARDEN_CONFIG_DIR=/etc/config
	BGPWARDEN_CONFIG=bgpwarden
	# Equal means good, without the program's being asked.
	cmp -s /etc/config/bgpwarden /etc/bgpwarden/last-good && return 0
	"$BGPWARDEN_PROGRAM" check >/dev/null 2>&1 </dev/null
	# 4: the daemon uses it, though it names a zone that fw4 does not have.
	case $? in 0 | 4) return 0 ;; esac
	BGPWARDEN_CONFIG_DIR=/etc/bgpwarden
	BGPWARDEN_CONFIG=last-good
}

# Loads it for config_get and its like (/lib/functions.sh).
bgpwarden_load_config() {
	local UCI_CONFIG_DIR
	bgpwarden_find_config
	# shellcheck disable=SC2034 # uci_load (/lib/config/uci.sh) reads it
	UCI_CONFIG_DIR=$BGPWARDEN_CONFIG_DIR
	config_load "$BGPWARDEN_CONFIG"
}

# Whether the configuration leaves the service on. One option needs no config_load, which evaluates the whole file.
bgpwarden_is_on() {
	bgpwarden_find_config
	case $(uci -q -c "$BGPWARDEN_CONFIG_DIR" get "$BGPWARDEN_CONFIG.main.enabled") in
	0 | off | false | no | disabled) return 1 ;;
	esac
	return 0
}

# Whether procd's instance runs.
bgpwarden_runs() {
	local pid
	pid=$(bgpwarden_pid)
	[ -n "$pid" ] && bgpwarden_is "$pid"
}

# The process id that procd has written down, if it has.
bgpwarden_pid() {
	local pid
	[ ! -r "$BGPWARDEN_PID_FILE" ] || read -r pid <"$BGPWARDEN_PID_FILE"
	case $pid in
	"" | *[!0-9]*) ;;
	*) echo "$pid" ;;
	esac
}

# Whether this process is the daemon: ids are used again.
bgpwarden_is() {
	local command
	# It may end between any two lines here. `read` drops the zeros between the arguments, and misses a newline.
	{ read -r command <"/proc/$1/cmdline"; } 2>/dev/null
	case $command in
	*bgpwarden*) return 0 ;;
	esac
	return 1
}

# Whether the service is to be there: a table that its owner has switched off must not come back.
bgpwarden_wanted() {
	[ -e "$BGPWARDEN_ENABLED" ] && bgpwarden_is_on
}

# Puts the saved table in place of whatever is there under its name.
bgpwarden_load() {
	local complaint
	complaint=$(nft -f "$BGPWARDEN_TABLE" 2>&1) && return 0
	case $complaint in
	# A daemon that runs owns the table: nothing is missing.
	*"Operation not permitted"*) return 0 ;;
	# Its owner was killed. Such a table cannot be named as the first line does, to have it there for the second, which
	# deletes it.
	*"Operation not supported"*) complaint=$(tail -n +2 "$BGPWARDEN_TABLE" | nft -f - 2>&1) && return 0 ;;
	esac
	logger -t bgpwarden -p daemon.warn "nft -f $BGPWARDEN_TABLE: $complaint"
}

# Has the table looked at: by the daemon, or without one puts the saved table in place.
bgpwarden_check() {
	if bgpwarden_runs; then
		# Opened for reading as well, a FIFO never keeps its writer waiting for a reader (fifo(7)). A daemon that has
		# no FIFO yet is about to look of its own accord.
		[ ! -p "$BGPWARDEN_CONTROL" ] || { echo ensure 1<>"$BGPWARDEN_CONTROL"; } 2>/dev/null
	elif [ -s "$BGPWARDEN_TABLE" ] && bgpwarden_wanted; then
		bgpwarden_load
	fi
	return 0
}
