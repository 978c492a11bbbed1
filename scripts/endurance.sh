#!/bin/sh
# Usage: scripts/endurance.sh [DEMOS [TESTS]]
# Runs `make demo` DEMOS times in a row (20) and `make test` TESTS times (10), every second run beside two busy loops, and
# prints a line for each run. Ends with how many passed and how long they took; what a run printed is kept in
# .lab/endurance. Needs root. It takes some fifty minutes.
set -u
cd "$(dirname "$0")/.."

demos=${1:-20}
tests=${2:-10}
logs=.lab/endurance
mkdir -p "$logs"

loops=
be_busy() {
	for _ in 1 2; do
		sh -c 'while :; do :; done' &
		loops="$loops $!"
	done
}
be_quiet() {
	# shellcheck disable=SC2086 # one word for each loop
	[ -z "$loops" ] || kill $loops
	# shellcheck disable=SC2086
	[ -z "$loops" ] || wait $loops 2>/dev/null
	loops=
}
trap be_quiet EXIT
trap 'exit 130' INT TERM HUP

passed=0
failed=0
# rounds TARGET COUNT
rounds() {
	target=$1
	count=$2
	longest=0
	held=0
	round=0
	while [ "$round" -lt "$count" ]; do
		round=$((round + 1))
		how=quiet
		if [ $((round % 2)) = 0 ]; then
			how=busy
			be_busy
		fi
		log=$logs/$target-$round.log
		began=$(date +%s)
		verdict=FAILED
		if make --no-print-directory "$target" >"$log" 2>&1; then
			verdict=passed
			held=$((held + 1))
		fi
		seconds=$(($(date +%s) - began))
		be_quiet
		[ "$seconds" -le "$longest" ] || longest=$seconds
		echo "make $target $round of $count ($how): $verdict in $seconds s: $(tail -n 1 "$log" | grep -a . || tail -n 2 "$log" | head -n 1)"
	done
	echo "make $target: $held of $count passed, the longest in $longest s"
	passed=$((passed + held))
	failed=$((failed + count - held))
}

rounds demo "$demos"
rounds test "$tests"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
