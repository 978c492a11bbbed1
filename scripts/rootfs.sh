#!/bin/sh
# Usage: scripts/rootfs.sh [WORLD]
# Builds .lab/rootfs-WORLD, the root filesystem that every host of the lab runs on. WORLD is 13 (Debian 13, the default),
# next (Debian testing: what people run tomorrow) or 12 (Debian 12: BIRD 2.0 alone, an nft that cannot own a table), from
# the argument or the environment. The second run is instant: a stamp inside the root holds this script's hash. Needs root
# on Debian or Ubuntu; prints one line per step.
set -eu
cd "$(dirname "$0")/.."
# The programs in it run as users of their own.
umask 022

world=${1:-${WORLD:-13}}
birds=bird3
quickjs=quickjs
case $world in
13) suite=trixie ;;
next) suite=testing ;;
12)
	suite=bookworm
	birds=bird2
	# Its QuickJS (2021) is older than any of OpenWrt's: it gets Debian 13's.
	quickjs=
	;;
*)
	echo "rootfs: there is no world '$world': it is 13, next or 12" >&2
	exit 2
	;;
esac
# mount is named because Debian testing's base system no longer has it.
packages=nftables,iptables,conntrack,$birds,frr,mosquitto,mosquitto-clients,busybox,iproute2,iputils-ping,openssl
packages=$packages,procps,strace,tcpdump,python3-minimal,dnsmasq-base,mount${quickjs:+,$quickjs}
root=.lab/rootfs-$world
new=$root.new
old=$root.old
log=$root-build.log
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

say() { echo "rootfs: $*"; }
fail() {
	echo "rootfs: failed: $*" >&2
	exit 1
}
# Runs a noisy command into the log; on failure shows its last error instead of all of it.
quiet() {
	what=$1
	shift
	"$@" >>"$log" 2>&1 && return
	reason=$(grep -aE '^E:|[Ee]rror|not found' "$log" | tail -n 1 || true)
	fail "$what${reason:+: $reason} (all of it: $log)"
}
have() { command -v "$1" >/dev/null 2>&1; }
apt_install() {
	DEBIAN_FRONTEND=noninteractive
	export DEBIAN_FRONTEND
	apt-get install -y --no-install-recommends "$@" >>"$log" 2>&1 && return
	quiet "apt-get update" apt-get update
	quiet "apt-get install $*" apt-get install -y --no-install-recommends "$@"
}

# Debian's smallest containers lack it, and the lab's hosts are made with it.
if ! have mount && have apt-get; then
	say "installing mount"
	mkdir -p .lab
	apt_install mount
fi

stamp=$(sha256sum scripts/rootfs.sh | cut -d ' ' -f 1)
is_built() { [ "$(cat "$root/.stamp" 2>/dev/null || true)" = "$stamp" ]; }
if is_built; then
	say "$root is up to date"
	exit 0
fi

[ "$(id -u)" = 0 ] || fail "root is needed to build a root filesystem"
have apt-get || fail "this needs Debian or Ubuntu (there is no apt-get)"
mkdir -p .lab
[ -n "$quickjs" ] || "$0" 13
exec 9>"$root.lock"
flock 9
if is_built; then
	say "$root was built by another run meanwhile"
	exit 0
fi
: >"$log"

if ! have mmdebstrap; then
	say "installing mmdebstrap"
	apt_install mmdebstrap
fi
if ! [ -r "$keyring" ]; then
	say "installing debian-archive-keyring"
	apt_install debian-archive-keyring
fi

say "building Debian $suite with mmdebstrap; this takes up to a minute"
# bird2 and bird3 refuse to be installed together, so bird2 is only unpacked beside bird3.
other_bird=
if [ $birds = bird3 ]; then
	other_bird='chroot "$1" sh -ec "cd /tmp; apt-get download bird2; dpkg -x bird2_*.deb /opt/bird2; rm bird2_*.deb"'
fi
rm -rf --one-file-system "$new" "$old"
trap 'rm -rf --one-file-system "$new"' EXIT
trap 'exit 130' INT TERM HUP
# mmdebstrap keeps services from starting (policy-rc.d, a stub start-stop-daemon) while packages are set up. Debian
# testing's release file is not always renewed in time; its signature is checked all the same.
quiet mmdebstrap mmdebstrap --mode=root --variant=apt --include="$packages" --keyring="$keyring" \
	--aptopt='Acquire::Check-Valid-Until "false"' \
	--customize-hook='for applet in nc nslookup; do ln -s /usr/bin/busybox "$1/usr/local/bin/$applet"; done' \
	${other_bird:+--customize-hook="$other_bird"} "$suite" "$new"

if [ -z "$quickjs" ]; then
	# With its own libraries and linker, which the program names itself: the process is called qjs, and what it starts
	# runs on this world's libraries.
	if ! have patchelf; then
		say "installing patchelf"
		apt_install patchelf
	fi
	say "taking qjs from .lab/rootfs-13"
	mkdir -p "$new/opt/qjs"
	libraries=$(chroot .lab/rootfs-13 ldd /usr/bin/qjs | grep -o '/[^ ]*')
	for library in $libraries; do cp -L ".lab/rootfs-13$library" "$new/opt/qjs"; done
	cp .lab/rootfs-13/usr/bin/qjs "$new/usr/bin/qjs"
	linker=$(basename "$(patchelf --print-interpreter "$new/usr/bin/qjs")")
	quiet patchelf patchelf --set-interpreter "/opt/qjs/$linker" --set-rpath /opt/qjs "$new/usr/bin/qjs"
fi

say "checking the programs"
for program in nft conntrack bird birdc mosquitto mosquitto_sub busybox nc nslookup dnsmasq ip mount ping openssl strace python3; do
	chroot "$new" sh -c "command -v $program" >/dev/null || fail "$program is missing in the new root"
done
quiet qjs chroot "$new" qjs -e 1
for program in /usr/lib/frr/bgpd /usr/lib/frr/bfdd ${other_bird:+/opt/bird2/usr/sbin/bird}; do
	if chroot "$new" ldd "$program" | grep -q 'not found'; then
		fail "$program misses a library in the new root"
	fi
done

echo "$stamp" >"$new/.stamp"
if [ -e "$root" ]; then
	mv "$root" "$old"
fi
mv "$new" "$root"
rm -rf --one-file-system "$old"
say "$root is ready ($(du -sm "$root" | cut -f 1) MB)"
