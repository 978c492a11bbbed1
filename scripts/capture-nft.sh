#!/bin/bash
# Captures the fixtures of nft anew, from the nft in .lab/rootfs-WORLD (13 unless WORLD is set; made by scripts/rootfs.sh),
# in a network namespace of its own. Needs root and dist/bgpwarden.js. What each transaction of the monitor's did to the
# table, and the packets it traced, are written by hand in monitor-tampering.json;
# test/fixtures/nft/rulesets/*.nft are what the JSON listings are made from.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD/.lab/rootfs-${WORLD:-13}
[ "$(id -u)" = 0 ] || { echo "capture-nft: root is needed" >&2; exit 1; }
[ -e "$root/.stamp" ] || { echo "capture-nft: run scripts/rootfs.sh first" >&2; exit 1; }
if [ "${1:-}" != inside ]; then
	exec unshare --net bash "$0" inside
fi

nft() { chroot "$root" nft "$@"; }
version=$(nft --version | sed 's/^nftables v\([0-9.]*\).*/\1/')
out=test/fixtures/nft/nft-$version-monitor-tampering.txt
table=$(node dist/bgpwarden.js render nft --config /nonexistent)

ip link set lo up
chroot "$root" nft monitor >"$out" &
monitor=$!
trap 'kill $monitor 2>/dev/null || true' EXIT
sleep 0.5
nft -f - <<<"$table"
nft flush ruleset
nft -f - <<<"$table"
nft -f - <<<"$table"
nft add set inet custom_bgp mine '{ type ipv4_addr; }'
nft add element inet custom_bgp mine '{ 192.0.2.1 }'
nft flush chain inet custom_bgp raw_pre
nft insert rule inet custom_bgp raw_out drop
nft 'chain inet custom_bgp raw_out { policy drop; }'
nft flush table inet custom_bgp
nft delete chain inet custom_bgp filter_input
nft add table inet custom_bgp2
nft add chain inet custom_bgp2 custom_bgp
nft add table ip custom_bgp
nft -f - <<<"$table"
bash -c 'exec 3<>/dev/tcp/127.0.0.1/179' 2>/dev/null || true
nft delete table inet custom_bgp
nft 'table inet other { set s { type ipv4_addr; flags timeout; elements = { 192.0.2.1 timeout 1h }; }; counter c { }; }'
nft 'table inet custom_bgp { }; delete table inet custom_bgp'
sleep 0.5
kill $monitor
echo "captured $out ($(wc -l <"$out") lines)"

for ruleset in test/fixtures/nft/rulesets/*.nft; do
	out=test/fixtures/nft/nft-$version-ruleset-$(basename "$ruleset" .nft).json
	text=$(<"$ruleset")
	nft flush ruleset
	# An old nft does without the lines that it does not know.
	until error=$(nft -f - 2>&1 <<<"$text"); do
		line=$(sed -n 's/^[^:]*:\([0-9]*\):.*/\1/p;T;q' <<<"$error")
		echo "left out of $out: $(sed -n "${line}p" <<<"$text" | tr -d '\t')"
		text=$(sed "${line}d" <<<"$text")
	done
	nft -j -p list ruleset >"$out"
	# What an old nft is asked besides (src/system/nft/ruleset-json.ts, showsDormant).
	case $out in *-1.0.*-every-expression.json) nft -t list ruleset >"${out%.json}.txt" ;; esac
	echo "captured $out"
done
nft flush ruleset
nft -f - <<<"$table"
nft -j -p list ruleset >"test/fixtures/nft/nft-$version-ruleset-own.json"
