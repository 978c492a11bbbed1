#!/bin/sh
# Fetches what cross-building qjs takes: Zig, which is a C compiler with musl for every target, from PyPI into .tools;
# and QuickJS as upstream released it, out of Debian 13's source package, checked by its hash. Says only what it does.
set -eu
cd "$(dirname "$0")/.."

zig_version=0.15.2
quickjs_version=2025.04.26
# Debian's mirrors and the upstream author may change their files; this one is meant.
quickjs_sha256=ec81da5b3249ed648dbc7df4a1654988910e66a118d9b71cb63534216efcfbbe

say() { echo "cross: $*" >&2; }
fail() {
	echo "cross: failed: $*" >&2
	exit 1
}

tools=$PWD/.tools
venv=$tools/zig-$zig_version
if ! [ -e "$venv/.stamp" ]; then
	rm -rf --one-file-system "$venv"
	mkdir -p "$tools"
	if ! python3 -m venv "$venv" >/dev/null 2>&1; then
		[ "$(id -u)" = 0 ] || fail "python3 with venv is missing, and only root can install it"
		say "installing python3 and python3-venv"
		apt-get update -q >/dev/null 2>&1 || true
		DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends python3 python3-venv >/dev/null 2>&1 ||
			fail "apt-get install python3 python3-venv"
		rm -rf --one-file-system "$venv"
		python3 -m venv "$venv" >/dev/null || fail "python3 -m venv"
	fi
	say "installing Zig $zig_version into .tools"
	"$venv/bin/pip" install -q --disable-pip-version-check --no-deps "ziglang==$zig_version" >&2 || fail "pip install ziglang"
	"$venv/bin/python" -m ziglang version >/dev/null || fail "the installed Zig does not run"
	touch "$venv/.stamp"
fi

tarball=$tools/quickjs_$quickjs_version.orig.tar.xz
is_meant() { [ -e "$tarball" ] && [ "$(sha256sum "$tarball" | cut -d ' ' -f 1)" = "$quickjs_sha256" ]; }
if ! is_meant; then
	# The lab's own list of Debian's archives, for sources. apt's state is kept apart from this machine's.
	list=.lab/rootfs-13/etc/apt/sources.list
	[ -r "$list" ] || fail "$list is missing: run \`make rootfs\` as root"
	say "downloading the source of quickjs $quickjs_version"
	apt=$(mktemp -d)
	trap 'rm -rf --one-file-system "$apt"' EXIT
	mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial" "$apt/source"
	sed -n 's/^deb /deb-src /p' "$list" >"$apt/sources.list"
	private_apt() {
		apt-get -qq -o Dir::Etc::sourcelist="$apt/sources.list" -o Dir::Etc::sourceparts=/dev/null \
			-o Dir::State::lists="$apt/lists" -o Dir::State::status=/dev/null -o Dir::Cache="$apt/cache" \
			-o APT::Sandbox::User= -o Acquire::Languages=none "$@" >"$apt/log" 2>&1 ||
			fail "apt-get: $(grep -a '^E:' "$apt/log" | tail -n 1)"
	}
	private_apt update
	cd "$apt/source"
	private_apt source --download-only --only-source quickjs
	[ -e "quickjs_$quickjs_version.orig.tar.xz" ] || fail "Debian's quickjs is not $quickjs_version any more"
	cp "quickjs_$quickjs_version.orig.tar.xz" "$tarball.new"
	mv "$tarball.new" "$tarball"
	cd - >/dev/null
	is_meant || fail "$tarball: not the file that is meant (sha256 $quickjs_sha256)"
fi
source=$tools/quickjs-$quickjs_version
if ! [ -e "$source/.stamp" ]; then
	rm -rf --one-file-system "$source" "$source.new"
	mkdir "$source.new"
	tar -xJf "$tarball" -C "$source.new" --strip-components=1
	touch "$source.new/.stamp"
	mv "$source.new" "$source"
fi
printf '{"zig": "%s", "source": "%s", "version": "%s", "sha256": "%s"}\n' \
	"$("$venv/bin/python" -c 'import os, ziglang; print(os.path.join(os.path.dirname(ziglang.__file__), "zig"))')" \
	"$source" "$quickjs_version" "$quickjs_sha256"
