#!/bin/sh
# Usage: scripts/preflight.sh [tun]
# Says in one line what this machine lacks for the lab, before anything is built, and fails then. Needs nothing that a
# minimal Debian or Ubuntu does not have, and takes some 60 ms. With `tun` it looks for what VPNs and proxies need as well.
set -u
cd "${0%/*}/.." || exit 1

fail() {
	echo "lab: $*" >&2
	exit 1
}
# The last line of what a program complained of, without the program's name and mount's hint at dmesg.
reason() { printf '%s\n' "$1" | sed '/^ /d; s/^[a-z]*: \([0-9]*: \)*//; s/\.$//' | tail -n 1; }

[ "$(uname -s)" = Linux ] || fail "Linux is needed, and this is $(uname -s)"
[ "$(id -u)" = 0 ] || fail "root is needed: it makes network namespaces (sudo make …)"

namespaces="unshare --net --mount --uts --propagation private"
said=$($namespaces true 2>&1) || case $said in
*propagation*)
	fail "this is a chroot whose root is no mount point: bind it to itself before (mount --bind DIR DIR), or use a container"
	;;
*)
	fail "root may not make namespaces here ($(reason "$said")): a container has to be privileged (docker run --privileged)"
	;;
esac

[ -e /proc/self/ns/mnt ] || fail "/proc is not mounted here (mount -t proc proc /proc)"

# Mosquitto, BIRD and FRR run as users of their own.
users=0
while read -r _ _ count; do users=$((users + count)); done <<-END
	$(cat /proc/self/uid_map)
END
[ "$users" -ge 65536 ] ||
	fail "this user namespace has $users of the 65,536 user ids that the lab's programs run as (rootless Docker and podman have them)"

if command -v mount >/dev/null; then
	# As test/lab/host.ts makes a host: an overlay over read-only layers from here, with what is written in memory.
	# shellcheck disable=SC2016 # the inner shell's
	said=$($namespaces sh -c '
		mount -t tmpfs tmpfs /mnt && mkdir /mnt/up /mnt/work /mnt/root &&
		mount -t overlay overlay -o lowerdir=.,upperdir=/mnt/up,workdir=/mnt/work /mnt/root' 2>&1) ||
		fail "no overlay filesystem can be mounted over this directory ($(reason "$said")): a container has to be privileged"
	said=$($namespaces mount -t proc proc /proc 2>&1) ||
		fail "/proc cannot be mounted ($(reason "$said")): a container has to be privileged (docker run --privileged)"
fi

# Asks the kernel for what nft, conntrack and ip will ask it for, in a network namespace that ends with the last question, by
# the messages that they would send (linux/netfilter/nfnetlink.h, nf_tables.h, nfnetlink_conntrack.h; linux/rtnetlink.h).
# Perl is essential on Debian and Ubuntu; they are not.
command -v perl >/dev/null || exit 0
# shellcheck disable=SC2016 # Perl's variables
said=$($namespaces perl -e '
	use strict; use warnings;
	my ($request, $ack, $dump, $create, $failed) = (0x1, 0x4, 0x300, 0x400, 2);
	my ($route, $netfilter) = (0, 12);
	sub attribute { my ($type, $data) = @_;
		return pack("SSa*", 4 + length $data, $type, $data) . "\0" x (-length($data) % 4) }
	sub message { my ($type, $flags, $body) = @_; return pack("LSSLLa*", 16 + length $body, $type, $flags, 1, 0, $body) }
	sub ask { my ($what, $option, $protocol, @messages) = @_;
		my $refuse = sub { die "$what: $! ($option)\n" };
		socket(my $kernel, 16, 3, $protocol) or $refuse->();
		send($kernel, join("", @messages), 0, pack("SSLL", 16, 0, 0, 0)) or $refuse->();
		local $SIG{ALRM} = sub { die "$what: no answer\n" };
		alarm 5;
		recv($kernel, my $answer, 65536, 0) // $refuse->();
		my ($type, $error) = unpack("x4 S x10 l", $answer);
		if ($type == $failed && $error != 0) { $! = -$error; $refuse->() } }
	my ($nftables, $conntrack, $inet) = (10, 1, 1);
	my $batch = pack("CCn", 0, 0, $nftables);
	ask("nf_tables for family inet", "CONFIG_NF_TABLES_INET", $netfilter,
		message(16, $request, $batch),
		message($nftables << 8, $request | $create | $ack, pack("CCn", $inet, 0, 0) . attribute(1, "table\0")),
		message(17, $request, $batch));
	ask("list of connections", "CONFIG_NF_CT_NETLINK", $netfilter,
		message($conntrack << 8 | 1, $request | $dump, pack("CCn", 0, 0, 0)));
	ask("veth links", "CONFIG_VETH", $route,
		message(16, $request | $create | $ack, pack("x16") . attribute(18, attribute(1, "veth\0"))))' 2>&1) || case $said in
*permitted*) fail "root may not change the network here (${said%% (*}): a container has to be privileged (docker run --privileged)" ;;
*) fail "this kernel has no $said, or its module is missing" ;;
esac

[ "${1:-}" = tun ] || exit 0
# As the lab's hosts make it; opening it loads its module.
# shellcheck disable=SC2016 # the inner shell's
said=$($namespaces sh -c 'mount -t tmpfs tmpfs /mnt && mknod /mnt/tun c 10 200 && true <>/mnt/tun' 2>&1) ||
	fail "this machine has no TUN devices ($(reason "$said")): they take CONFIG_TUN, or its module (modprobe tun), and in a container --privileged"
