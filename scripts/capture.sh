#!/bin/sh
# Captures the fixtures of BIRD and conntrack anew, from the programs in .lab/rootfs-WORLD (13 unless WORLD is set; made by
# scripts/rootfs.sh), in two network namespaces of its own, then BIRD's sessions with each speaker (GoBGP is built by
# scripts/speakers.sh). Needs root. The expected values beside them (*.json) are written by hand.
set -eu
cd "$(dirname "$0")/.."
root=$PWD/.lab/rootfs-${WORLD:-13}
fixtures=$PWD/test/fixtures
[ "$(id -u)" = 0 ] || { echo "capture: root is needed" >&2; exit 1; }
[ -e "$root/.stamp" ] || { echo "capture: run scripts/rootfs.sh first" >&2; exit 1; }

if [ "${1:-}" != inside ]; then
	unshare --mount --propagation private sh "$0" inside
	exec npx tsx test/lab/capture/speakers.ts
fi

router=capture-r
speaker=capture-s
pids=
cleanup() {
	for pid in $pids; do kill "$pid" 2>/dev/null || true; done
	wait
	ip netns del $router 2>/dev/null || true
	ip netns del $speaker 2>/dev/null || true
}
trap cleanup EXIT
trap 'exit 130' INT TERM

mount -t proc proc "$root/proc"
mount -t tmpfs tmpfs "$root/run"
mount -t tmpfs tmpfs "$root/tmp"
on_router() { ip netns exec $router chroot "$root" "$@"; }

ip netns add $router
ip netns add $speaker
ip -n $router link add br-lan address 02:00:00:00:00:01 type veth peer name eth0 address 02:00:00:00:00:02 netns $speaker
ip -n $router link set lo up
ip -n $speaker link set lo up
for net in 1 8 9; do
	ip -n $router address add 192.168.$net.1/24 dev br-lan
	ip -n $speaker address add 192.168.$net.2/24 dev eth0
done
ip -n $router address add fd00:1::1/64 dev br-lan nodad
ip -n $speaker address add fd00:1::2/64 dev eth0 nodad
ip -n $router link set br-lan addrgenmode none up
ip -n $speaker link set eth0 addrgenmode none up
ip -n $router address add fe80::1/64 dev br-lan nodad
ip -n $speaker address add fe80::2/64 dev eth0 nodad

cat >"$root/tmp/no-bfd.conf" <<'CONF'
router id 192.168.1.1;
protocol device {}
protocol bgp nobody {
	local 192.168.1.1 as 65001; neighbor 192.168.1.99 as 65009; connect delay time 3600;
	ipv4 { import all; export none; };
}
CONF
cat >"$root/tmp/all.conf" <<'CONF'
router id 192.168.1.1;
protocol device {}
protocol direct { ipv4; ipv6; interface "br-lan"; }
protocol bfd {
	interface "br-lan" { min rx interval 100 ms; min tx interval 100 ms; };
	multihop { min rx interval 100 ms; min tx interval 100 ms; multiplier 3; };
}
protocol static pool4 { ipv4; route 198.51.100.0/24 blackhole; route 198.51.101.0/24 blackhole; }
filter few { if net = 10.96.0.2/32 then reject; accept; }
protocol bgp waukeen {
	description "BGP state:          Down";
	local 192.168.1.1 as 65001; neighbor 192.168.1.2 as 65009;
	bfd on; passive on; graceful restart on;
	ipv4 { import filter few; import keep filtered on; export where source = RTS_STATIC; };
}
protocol bgp 'link-local.6' {
	local fe80::1 as 65001; neighbor fe80::2%'br-lan' as 65009;
	bfd on;
	ipv4 { extended next hop on; import all; export where source = RTS_STATIC; };
	ipv6 { import all; export none; };
}
protocol bgp far6 {
	local fd00:1::1 as 65001; neighbor fd00:1::2 as 65010;
	multihop 2; bfd on;
	ipv6 { import all; export all; import limit 100 action block; };
}
protocol bgp nobody {
	local 192.168.1.1 as 65001; neighbor 192.168.1.99 as 65009;
	bfd on; connect delay time 3600;
	ipv4 { import all; export none; };
}
protocol bgp wrongas {
	local 192.168.8.1 as 65001; neighbor 192.168.8.2 as 65098;
	passive on; error wait time 300, 300;
	ipv4 { import all; export none; };
}
protocol bgp unwanted {
	disabled;
	local 192.168.1.1 as 65001; neighbor 192.168.1.98 as 65009;
	ipv4 { import all; export none; };
}
protocol bgp nodes {
	local 192.168.9.1 as 65001; neighbor range 192.168.9.0/24 as 65020;
	dynamic name "node"; dynamic name digits 2;
	ipv4 { import all; export none; };
}
CONF
cat >"$root/tmp/speaker.conf" <<'CONF'
router id 192.168.1.2;
protocol device {}
protocol bfd {
	interface "eth0" { min rx interval 100 ms; min tx interval 100 ms; };
	multihop { min rx interval 100 ms; min tx interval 100 ms; multiplier 3; };
}
protocol static svc4 { ipv4; route 10.96.0.1/32 blackhole; route 10.96.0.2/32 blackhole; route 10.96.0.3/32 blackhole; }
protocol static svc6 { ipv6; route fd00:96::1/128 blackhole; }
template bgp dial { connect delay time 1; connect retry time 2; error wait time 1, 2; ipv4 { import all; export where source = RTS_STATIC; }; }
protocol bgp to_waukeen from dial { local 192.168.1.2 as 65009; neighbor 192.168.1.1 as 65001; bfd on; }
protocol bgp to_ll from dial {
	local fe80::2 as 65009; neighbor fe80::1%'eth0' as 65001; bfd on;
	ipv4 { extended next hop on; };
	ipv6 { import all; export where source = RTS_STATIC; };
}
protocol bgp to_far6 {
	local fd00:1::2 as 65010; neighbor fd00:1::1 as 65001; multihop 2; bfd on; connect delay time 1;
	ipv6 { import all; export where source = RTS_STATIC; };
}
protocol bgp to_wrongas from dial { local 192.168.8.2 as 65099; neighbor 192.168.8.1 as 65001; }
protocol bgp to_nodes from dial { local 192.168.9.2 as 65020; neighbor 192.168.9.1 as 65001; }
CONF

socket=/run/bird.ctl
# start_bird PROGRAM CONFIG: runs BIRD on the router; $bird is its process id.
start_bird() {
	ip netns exec $router chroot "$root" "$1" -f -c "$2" -s $socket 2>/dev/null &
	bird=$!
	pids="$pids $bird"
	until [ -S "$root$socket" ]; do sleep 0.1; done
}
stop_bird() {
	kill "$bird"
	wait "$bird" 2>/dev/null || true
	rm -f "$root$socket"
}
settled() {
	state=$(on_router "$1cl" -s $socket show protocols)
	bfd=$(on_router "$1cl" -s $socket show bfd sessions)
	[ "$(echo "$state" | grep -c Established)" = 4 ] && [ "$(echo "$bfd" | grep -c ' Up ')" = 3 ] &&
		echo "$state" | grep -q 'Bad peer AS'
}
await() {
	for _ in $(seq 1 60); do
		if "$@"; then return; fi
		sleep 0.3
	done
	echo "capture: never so: $*" >&2
	on_router "$2cl" -s $socket show protocols >&2
	exit 1
}
# ask CLIENT COMMANDS: what a session prints, and at its end of input a newline or an erased prompt.
ask() { printf "$2" | on_router "$1" -v -r -s $socket; }

ip netns exec $speaker chroot "$root" bird -f -c /tmp/speaker.conf -s /run/speaker.ctl 2>/dev/null &
pids="$pids $!"
for client in bird /opt/bird2/usr/sbin/bird; do
	on_router sh -c "command -v $client" >/dev/null || continue
	version=$(on_router $client --version 2>&1 | sed 's/.* //')
	to=$fixtures/bird/bird-$version
	start_bird $client /tmp/all.conf
	await settled $client
	reading='show protocols all\nshow bfd sessions all\n'
	# An old BIRD refuses `all`, and is asked without.
	if ask ${client}cl "$reading" | grep -q '^9001'; then reading="${reading}show bfd sessions\n"; fi
	ask ${client}cl "timeformat \"%%s.%%3f\"\n$reading" >"$to-all.txt"
	ask ${client}cl "$reading" >"$to-default-times.txt"
	ask ${client}cl 'show protocols all\nshow bfd sessions\n' >"$to-bfd-table.txt"
	# birdc takes its prompt away before each answer, in one way or the other.
	TERM=dumb ask "${client}c" "$reading" >"$to-birdc-dumb.txt"
	TERM=xterm ask "${client}c" "$reading" >"$to-birdc-xterm.txt"
	ask ${client}cl 'configure\nrestart waukeen\nfrobnicate\nshow protocols all foo\n' >"$to-refusals.txt"
	for peer in nobody link-local.6 unwanted absent all; do
		on_router ${client}cl -v -s $socket restart "\"$peer\"" >"$to-restart-$peer.txt" || true
	done
	stop_bird
	start_bird $client /tmp/no-bfd.conf
	ask ${client}cl "timeformat \"%%s.%%3f\"\n$reading" >"$to-no-bfd.txt"
	stop_bird
done

# The ghost and its neighbours. A redirect leaves the router's port in the reply alone.
track() { on_router conntrack -I "$@" -t 1000 >/dev/null 2>&1; }
up='--state ESTABLISHED -u SEEN_REPLY,ASSURED'
track -p tcp -s 192.168.1.2 -d 192.168.1.1 -r 192.168.1.1 -q 192.168.1.2 --sport 60782 --dport 179 \
	--reply-port-src 7892 --reply-port-dst 60782 $up
track -p tcp -s 192.168.1.2 -d 192.168.1.1 --sport 60783 --dport 179 --state SYN_SENT -w 7
track -p tcp -s fd00:1::2 -d fd00:1::1 --sport 60784 --dport 179 $up
track -p tcp -s 192.168.1.1 -d 192.168.1.2 --sport 60785 --dport 179 $up
track -p udp -s 192.168.1.1 -d 192.168.1.2 --sport 49152 --dport 4784
track -p udp -s fe80::2 -d fe80::1 --sport 49153 --dport 3784
# Passing through: plainly, and masqueraded.
track -p tcp -s 192.168.1.50 -d 203.0.113.9 --sport 60786 --dport 179 $up
track -p tcp -s 192.168.1.50 -d 203.0.113.9 -r 203.0.113.9 -q 192.168.9.1 --sport 60787 --dport 179 \
	--reply-port-src 179 --reply-port-dst 60787 $up
# Something else altogether.
track -p tcp -s 192.168.1.50 -d 192.168.1.1 --sport 60788 --dport 443 $up
track -p icmp -s 192.168.1.50 -d 192.168.1.1 --icmp-type 8 --icmp-code 0 --icmp-id 7
version=$(on_router conntrack --version | sed 's/conntrack v\([^ ]*\).*/\1/')
on_router conntrack -L -o extended 2>/dev/null >"$fixtures/conntrack/conntrack-$version-extended.txt"
on_router conntrack -L 2>/dev/null >"$fixtures/conntrack/conntrack-$version-plain.txt"
# The kernel is the same in every world.
if [ "${WORLD:-13}" = 13 ]; then
	for file in nf_conntrack fib_trie if_inet6; do
		ip netns exec $router cat /proc/net/$file >"$fixtures/conntrack/linux-$(uname -r | cut -d . -f 1,2)-$file.txt"
	done
fi
echo "capture: done"
