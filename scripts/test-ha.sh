#!/bin/sh
# Usage: scripts/test-ha.sh [RELEASE…]
# Runs the tests of test/ha against these releases of Home Assistant, each with the WORLD that its Python is in: everything
# against the default, against the others what may differ. Builds their layers in .lab first.
set -eu
cd "$(dirname "$0")/.."

default=2025.11
[ $# -gt 0 ] || set -- $default
status=0
for release in "$@"; do
	program=home-assistant-$release
	[ -r "test/ha/$program.txt" ] || {
		echo "test-ha: there is no test/ha/$program.txt" >&2
		exit 2
	}
	WORLD=$(sed -n 's/^# WORLD=//p' "test/ha/$program.txt")
	export WORLD HA="$release"
	scripts/python-layer.sh "$program"
	echo "Home Assistant $release, WORLD=$WORLD"
	if [ "$release" = $default ]; then
		scripts/python-layer.sh amqtt
		# From 0.1.0, which is built from the history.
		if git cat-file -e b2b35fd 2>/dev/null; then
			export WITH_UPGRADE=1
		else
			echo "test-ha: the upgrade from 0.1.0 is left out: this clone does not have its commit" >&2
		fi
		scripts/vitest.sh ha || status=1
	else
		scripts/vitest.sh ha -- test/ha/home-assistant.ha.ts || status=1
	fi
done
exit $status
