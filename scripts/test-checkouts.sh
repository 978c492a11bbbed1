#!/bin/sh
# Tries the tests in other checkouts than a clone of one's own: from a `git archive`, in paths with a space, a comma and a colon,
# with umask 077 as root, with umask 002 as a user without rights, and after somebody else's run. Prints a line for each and
# closes with `N passed, N failed`. What they print is kept in .lab/checkouts. Needs root and git. QUICK=1: of the first one only
# what runs programs and reads files, since the second has all the others.
set -u
cd "$(dirname "$0")/.." || exit

[ "$(id -u)" = 0 ] || {
	echo "test-checkouts: root is needed: it becomes another user too" >&2
	exit 1
}
scratch=$(mktemp -d)
trap 'rm -rf --one-file-system "$scratch"' EXIT
trap 'exit 130' INT TERM HUP
chmod 755 "$scratch"
logs=$PWD/.lab/checkouts
rm -rf "$logs"
mkdir -p "$logs"

# checkout DIRECTORY UMASK: the tree as a tarball leaves it, with the packages that are installed here, which saves a minute.
checkout() {
	mkdir -p "$1"
	(umask "$2" && git archive HEAD | tar -x --no-same-permissions -C "$1")
	cp -a node_modules "$1/"
	[ ! -d .tools ] || cp -a .tools "$1/"
}

passed=0
failed=0
# try NAME DIRECTORY SCRIPT [USER]: runs a script in a checkout.
try() {
	began=$(date +%s)
	log=$logs/$(echo "$1" | tr -c 'a-z0-9\n' -).log
	as=
	[ -z "${4:-}" ] || as="setpriv --reuid $4 --regid $4 --clear-groups"
	# shellcheck disable=SC2086 # words of a command
	if (cd "$2" && exec $as env -u CI ${4:+HOME="$scratch/home"} sh -ec "$3") >"$log" 2>&1 </dev/null; then
		passed=$((passed + 1))
		verdict=passed
	else
		failed=$((failed + 1))
		verdict="FAILED (all of it: $log)"
	fi
	echo "$1: $verdict in $(($(date +%s) - began)) s: $(grep -aE '^[0-9]+ passed|^make: ' "$log" | tail -n 1)"
}

tests=.test.ts
[ "${QUICK:-}" != 1 ] || tests="test/contract test/documents test/package test/platform"
checkout "$scratch/a tree, copied" 077
try "archive, space and comma in the path, umask 077, root" "$scratch/a tree, copied" "
	umask 077
	make lint build package rootfs
	PATH=\"\$(scripts/setup.sh):\$PATH\" scripts/vitest.sh unit lab -- $tests test/lab/scenarios/ghost.lab.ts"

nobody=65534
checkout "$scratch/another tree" 002
scripts/rootfs.sh 13 >/dev/null
mkdir "$scratch/home" "$scratch/another tree/.lab"
chown -R $nobody:$nobody "$scratch/another tree" "$scratch/home"
# By name it is found wherever it lies: what root has built is not copied.
ln -s "$PWD/.lab/rootfs-13" "$scratch/another tree/.lab/rootfs-13"
try "archive, space in the path, umask 002, not root" "$scratch/another tree" '
	umask 002
	make test package' $nobody

# What cannot be is one line, and no success.
chown -R 0:0 "$scratch/another tree/node_modules"
try "packages that root has installed, not root" "$scratch/another tree" '
	! make test >said 2>&1
	grep -x "setup: failed: node_modules is another user.s, as an earlier run with sudo leaves it .*" said' $nobody
mv "$scratch/another tree" "$scratch/a:tree"
try "colon in the path" "$scratch/a:tree" '
	! make test >said 2>&1
	grep -x "setup: failed: .*: a colon in the path .*" said'

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
