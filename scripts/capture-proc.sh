#!/bin/sh
# Captures the fixtures of /proc/net anew, from this machine's kernel, in a network namespace of their own. Needs root, ip and
# node. The expected values beside them (*.json) are written by hand.
set -eu
cd "$(dirname "$0")/.."
[ "$(id -u)" = 0 ] || { echo "capture-proc: root is needed" >&2; exit 1; }
if [ "${1:-}" != inside ]; then
	exec unshare --net sh "$0" inside
fi

to=$PWD/test/fixtures/proc/linux-$(uname -r | cut -d. -f1,2)
ip link set lo up
for link in br-lan br-guest eth1 wg0; do
	ip link add "$link" type veth peer name "$link-o"
	ip link set "$link-o" addrgenmode none up
	ip link set "$link" addrgenmode none up
done
ip address add 192.168.1.1/24 dev br-lan
ip address add fd00:1::1/64 dev br-lan nodad
ip address add fe80::1/64 dev br-lan nodad
ip address add 10.1.2.1/24 dev br-guest
ip address add fe80::1/64 dev br-guest nodad
ip address add 10.0.0.0/31 dev eth1
ip address add 2001:db8:0:1::/127 dev eth1 nodad
ip address add 2001:db8:0:2::9/128 dev eth1 nodad
ip address add 10.9.0.1/32 dev wg0
# No networks of the router's own: allowed addresses of a tunnel, a node that somebody has sent another way.
ip route add 10.9.0.0/24 dev wg0 scope link
ip route add 192.168.20.0/24 dev wg0
ip route add 192.168.1.7/32 dev wg0
ip route add default via 192.168.1.254
ip route add 203.0.113.0/24 via 192.168.1.2
ip route add blackhole 198.51.100.0/24
ip route add unreachable 198.51.101.0/24
cat /proc/net/route >"$to-route.txt"
cat /proc/net/if_inet6 >"$to-if_inet6.txt"
cat /proc/net/fib_trie >"$to-fib_trie.txt"

# One line for each socket: what listens on all addresses, on one, on one of IPv4's through IPv6, and a connection.
listening=$(mktemp)
node -e '
const net = require("node:net");
const ends = [
	{ host: "0.0.0.0", port: 179 }, { host: "::", port: 179, ipv6Only: true }, { host: "192.168.1.1", port: 1790 },
	{ host: "fd00:1::1", port: 1790 }, { host: "::", port: 1791 }, { host: "::ffff:192.168.1.1", port: 1792 },
];
let left = ends.length;
for (const end of ends)
	net.createServer().listen(end, () => {
		if (--left === 0) net.connect(179, "192.168.1.1", () => require("node:fs").writeFileSync(process.argv[1], "x"));
	});
' "$listening" &
pid=$!
until [ -s "$listening" ]; do sleep 0.1; done
cat /proc/net/tcp >"$to-tcp.txt"
cat /proc/net/tcp6 >"$to-tcp6.txt"
kill "$pid"
rm -f "$listening"
