# shellcheck shell=dash
# Sourced by setup and uninstall: the section of /etc/config/firewall that has fw4 run firewall.include. The file is
# edited as text, since `uci commit firewall` would write what its owner has staged in /tmp/.uci and not yet committed.
# What is staged there about the section itself stays too: fw4 ignores an include whose path is not there.

BGPWARDEN_INCLUDE=/usr/lib/bgpwarden/firewall.include
BGPWARDEN_FIREWALL=$(readlink -f /etc/config/firewall)
# Written here first: uci takes no file whose name begins with a dot.
BGPWARDEN_BESIDE=${BGPWARDEN_FIREWALL%/*}/.firewall.bgpwarden

# Prints the numbers, in hexadecimal, of the sections without a name that something is staged for, by hand or in LuCI.
# uci calls such a section by its place in the file, cfg0adc81 the tenth: once a section above it is gone, uci drops what is
# staged for it without a word. Sections that are staged themselves are called so for good.
bgpwarden_staged() {
	# shellcheck disable=SC2016 # awk's own
	cat /tmp/.uci/firewall /var/run/rpcd/uci-*/firewall 2>/dev/null | LC_ALL=C awk '
		match($0, /firewall\.cfg[0-9a-f]+/) {
			id = substr($0, RSTART + 12, RLENGTH - 12)
			if (/^\+/) added[id] = 1
			else if (!(id in added)) print substr(id, 1, length(id) - 4)
		}'
}

# `find`: whether the section is there (0), or the name is free (1). `remove`: prints the file without the section; 1
# when there is none. 2: the file is no UCI, the section shares a line with another, or what $2 lists comes after it. Words are read as libuci reads them
# (file.c, util.c): a quoted value may go on in the next line, and what is in it is no statement.
bgpwarden_sections() {
	# shellcheck disable=SC2016 # awk's own
	LC_ALL=C awk -v mode="$1" -v staged="$2" -v ours="$BGPWARDEN_INCLUDE" '
		function number(hex,   i, value) {
			for (i = 1; i <= length(hex); i++) value = value * 16 + index("123456789abcdef", substr(hex, i, 1))
			return value + 0
		}
		function word() {
			if (inside) words[++count] = text
			text = ""
			inside = plain = 0
		}
		function statement() {
			word()
			if (count && words[1] ~ /^c(onfig)?$/) {
				if (last[section] == NR) shared = 1
				first[++section] = started
				type[section] = words[2]
				name[section] = words[3]
			} else if (count && words[1] ~ /^o(ption)?$/ && words[2] == "path") path[section] = words[3]
			if (count) last[section] = NR
			count = 0
			split("", words)
		}
		{
			line[NR] = $0
			if (!open) started = NR
			size = length($0)
			open = 0
			for (i = 1; i <= size; i++) {
				c = substr($0, i, 1)
				if (c == "\\" && quote != "\047") {
					if (i == size) open = 1
					text = text substr($0, ++i, 1)
					inside = 1
					plain = 0
				} else if (quote != "") {
					if (c == quote) quote = ""
					else text = text c
				} else if (c == "\"" || c == "\047") {
					quote = c
					inside = 1
					plain = 0
				} else if (c ~ /[ \t\r\v\f]/) word()
				else if (c == "#" || (c == ";" && plain)) break
				else if (c == ";") statement()
				else {
					if (!inside) plain = 1
					inside = 1
					text = text c
				}
			}
			if (quote != "" || open) open = 1
			else statement()
		}
		END {
			if (open) exit 2
			for (s = 1; s <= section; s++) {
				if (name[s] == "bgpwarden") taken = 1
				if (type[s] != "include" || (name[s] != "bgpwarden" && path[s] != ours)) continue
				if (!found) found = s
				for (i = first[s]; i <= last[s]; i++) gone[i] = 1
				# The blank line above it came with it.
				if (line[first[s] - 1] ~ /^[ \t\r]*$/) gone[first[s] - 1] = 1
			}
			if (mode == "find") exit !(found || taken)
			if (!found) exit 1
			if (shared) exit 2
			size = split(staged, ids)
			for (i = 1; i <= size; i++) if (number(ids[i]) > found) exit 2
			for (i = 1; i <= NR; i++) if (!(i in gone)) print line[i]
		}' "$BGPWARDEN_FIREWALL"
}

bgpwarden_with_include() {
	# It ends a last line that has no end.
	awk 1 "$BGPWARDEN_FIREWALL" && printf "%s\n" "" "config include 'bgpwarden'" "	option type 'script'" \
		"	option path '$BGPWARDEN_INCLUDE'" "	option fw4_compatible '1'"
}

# Puts what the command $@ prints in the file's place, if all of it could be written: flash may be full. A power cut leaves
# the old file or the new one: what is renamed has reached the flash before.
bgpwarden_rewrite() {
	# The copy has the file's mode and owner.
	if cp -p "$BGPWARDEN_FIREWALL" "$BGPWARDEN_BESIDE" && "$@" >"$BGPWARDEN_BESIDE" &&
		"$@" | cmp -s - "$BGPWARDEN_BESIDE" && sync && mv -f "$BGPWARDEN_BESIDE" "$BGPWARDEN_FIREWALL"; then
		return 0
	fi 2>/dev/null
	rm -f "$BGPWARDEN_BESIDE"
	echo "bgpwarden: cannot write $BGPWARDEN_FIREWALL: it stays as it is" >&2
	return 1
}

bgpwarden_add_include() {
	[ -f "$BGPWARDEN_FIREWALL" ] || return 0
	# What a power cut has left: nobody else would ever remove it.
	rm -f "$BGPWARDEN_BESIDE"
	bgpwarden_sections find
	[ $? -ne 1 ] || bgpwarden_rewrite bgpwarden_with_include
}

bgpwarden_remove_include() {
	local staged
	[ -f "$BGPWARDEN_FIREWALL" ] || return 0
	rm -f "$BGPWARDEN_BESIDE"
	staged=$(bgpwarden_staged | tr '\n' ' ')
	bgpwarden_sections remove "$staged" >/dev/null
	case $? in
	0) bgpwarden_rewrite bgpwarden_sections remove "$staged" ;;
	2) echo "bgpwarden: section 'bgpwarden' stays in $BGPWARDEN_FIREWALL, without effect: remove it yourself" >&2 ;;
	esac
}
