#!/bin/sh
# Says in one line what this machine lacks for the lab, before anything is built, and fails then. Needs nothing that a
# minimal Debian or Ubuntu does not have, and takes some 20 ms.
set -u

fail() {
	echo "lab: $*" >&2
	exit 1
}
# The last line of what a program complained of, without the program's name.
reason() { printf '%s\n' "$1" | tail -n 1 | sed 's/^[a-z]*: //'; }

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

if command -v mount >/dev/null; then
	# As test/lab/host.ts makes a host: an overlay over read-only layers, with what is written in memory.
	said=$($namespaces sh -c '
		mount -t tmpfs tmpfs /mnt && mkdir /mnt/low /mnt/up /mnt/work /mnt/root &&
		mount -t overlay overlay -o lowerdir=/mnt/low,upperdir=/mnt/up,workdir=/mnt/work /mnt/root' 2>&1) ||
		fail "no overlay filesystem can be mounted here ($(reason "$said")): a container has to be privileged"
fi

# Asks the kernel for a table of family inet, in a network namespace that ends with the question, by the messages that nft
# would send (linux/netfilter/nfnetlink.h, nf_tables.h). Perl is essential on Debian and Ubuntu; nft is not.
command -v perl >/dev/null || exit 0
# shellcheck disable=SC2016 # Perl's variables
said=$($namespaces perl -e '
	use strict; use warnings;
	sub message { my ($type, $flags, $family, $subsystem, $attributes) = @_;
		my $body = pack("CCn", $family, 0, $subsystem) . $attributes;
		return pack("LSSLL", 16 + length $body, $type, $flags, 1, 0) . $body }
	my ($request, $create, $ack, $nftables, $inet) = (0x1, 0x400, 0x4, 10, 1);
	my $name = pack("SSa8", 4 + 6, 1, "table");
	socket(my $kernel, 16, 3, 12) or die "netlink: $!\n";
	my $batch = message(16, $request, 0, $nftables, "") .
		message($nftables << 8, $request | $create | $ack, $inet, 0, $name) . message(17, $request, 0, $nftables, "");
	send($kernel, $batch, 0, pack("SSLL", 16, 0, 0, 0)) or die "netlink: $!\n";
	local $SIG{ALRM} = sub { die "no answer\n" };
	alarm 5;
	recv($kernel, my $answer, 8192, 0) // die "netlink: $!\n";
	my ($type, $error) = unpack("x4 S x10 l", $answer);
	if ($type == 2 && $error != 0) { $! = -$error; die "$!\n" }' 2>&1) || case $said in
*permitted*) fail "root may not change the firewall here ($said): a container has to be privileged (docker run --privileged)" ;;
*) fail "this kernel has no nf_tables for family inet ($said): it takes CONFIG_NF_TABLES_INET, and its module where it is one" ;;
esac
