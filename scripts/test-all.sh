#!/bin/sh
# Usage: scripts/test-all.sh [TARGET…]
# Runs what `make test` leaves out: the matrices (worlds, causes, remedies, hostile changes, faults, neighbors, flash, upgrade, weather,
# guests, speakers, releases of Home Assistant, fleet, architectures, checkouts), one target after the other, each to its end. Prints
# what they print, a line for each with its time, and the sum of their closing lines. QUICK=1: each in short. Needs root.
set -u
cd "$(dirname "$0")/.."

[ "$(id -u)" = 0 ] || {
	echo "test-all: root is needed: without it the lab cannot run" >&2
	exit 1
}
if [ $# = 0 ]; then
	set -- test-worlds test-diagnosis test-remedies test-hostile test-faults test-neighbors test-flash test-upgrade soak
	set -- "$@" test-ha-all test-fleet test-arch test-checkouts
	if command -v go >/dev/null || [ -x /usr/local/go/bin/go ]; then
		set -- "$@" test-guests test-speakers
	else
		echo "test-all: test-guests and test-speakers are left out: there is no Go toolchain to build their programs with" >&2
	fi
fi
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

failures=0
for target in "$@"; do
	began=$(date +%s)
	verdict=passed
	quick=${QUICK:-}
	# The whole of it takes hours.
	[ "$target" != test-remedies ] || quick=1
	# The pipe's exit code would be tee's.
	{
		QUICK=$quick make "$target" 2>&1
		echo $? >"$scratch/code"
	} | tee "$scratch/of-$target"
	if [ "$(cat "$scratch/code")" != 0 ]; then
		verdict=FAILED
		failures=$((failures + 1))
	elif ! grep -qaE '^[0-9]+ passed, 0 failed' "$scratch/of-$target"; then
		verdict="FAILED: it did not say how many passed"
		failures=$((failures + 1))
	fi
	echo "make $target: $verdict in $(($(date +%s) - began)) s" | tee -a "$scratch/summary"
done

echo
cat "$scratch/summary"
# Each target's closing line is its last: test-worlds has one of each world before it. A target that ended without saying so
# has failed once at least.
for said in "$scratch"/of-*; do
	grep -aE '^[0-9]+ passed, [0-9]+ failed' "$said" | tail -n 1
done |
	awk -v least="$failures" '{ passed += $1; failed += $3 }
		END { if (failed < least) failed = least; print passed + 0 " passed, " failed + 0 " failed" }'
[ "$failures" = 0 ]
