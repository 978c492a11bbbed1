#!/bin/sh
# Runs the tests that this user can run and closes with one line: `N passed, N failed`.
# Without root the lab is skipped, and said to be; with CI=true that is a failure.
set -u
cd "$(dirname "$0")/.."

[ "$(id -u)" = 0 ] && exec scripts/vitest.sh unit lab alone
echo "lab: skipped: it needs root (sudo make test)" >&2
echo "packages for apk: skipped: only root can make files of root's" >&2
[ -e ".lab/rootfs-${WORLD:-13}/.stamp" ] || command -v qjs >/dev/null ||
	echo "the contract under qjs: skipped: there is no qjs, which is in the root filesystem that root builds (sudo make rootfs)" >&2
scripts/vitest.sh unit
status=$?
[ "${CI:-}" = true ] && status=1
exit $status
