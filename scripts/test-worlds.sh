#!/bin/sh
# Usage: scripts/test-worlds.sh [WORLD…]
# Runs the core scenarios on the programs of the other worlds: next (Debian testing) and 12 (Debian 12). Closes with
# `N passed, N failed`. All scenarios of a world: `make test WORLD=next`. Needs root.
set -u
cd "$(dirname "$0")/.." || exit

[ $# -gt 0 ] || set -- next 12
files=
for name in ghost reboot wipes owned unowned daemon bird broker flush peers-scope render; do
	files="$files test/lab/scenarios/$name.lab.ts"
done
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
status=0
for world in "$@"; do
	export WORLD="$world"
	scripts/rootfs.sh "$world" || exit
	# The pipe's exit code would be tee's.
	{
		# shellcheck disable=SC2086 # a word for each file
		scripts/vitest.sh lab -- $files
		echo $? >"$scratch/code"
	} | tee "$scratch/$world"
	[ "$(cat "$scratch/code")" = 0 ] || status=1
done
rm "$scratch/code"
tail -qn 1 "$scratch"/* |
	awk '{ passed += $1; failed += $3 } END { print passed + 0 " passed, " failed + 0 " failed" }'
exit $status
