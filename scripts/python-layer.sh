#!/bin/sh
# Usage: scripts/python-layer.sh NAME
# Builds .lab/NAME, a layer over .lab/rootfs-WORLD: Debian's Python, and in /opt/NAME, from PyPI, the packages of
# test/ha/NAME.txt, which says what WORLD is. The second run is instant: a stamp holds the hash of all of it.
set -eu
cd "$(dirname "$0")/.."

name=$1
packages=test/ha/$name.txt
layer=.lab/$name
new=$PWD/$layer.new
log=$layer-build.log
certificates=/etc/ssl/certs/ca-certificates.crt

say() { echo "$name: $*"; }
fail() {
	echo "$name: failed: $*" >&2
	exit 1
}
# Runs a noisy command into the log; on failure shows its last error instead of all of it.
quiet() {
	what=$1
	shift
	"$@" >>"$log" 2>&1 && return
	reason=$(grep -aiE '^E:|error' "$log" | tail -n 1 || true)
	fail "$what${reason:+: $reason} (all of it: $log)"
}

[ -r "$packages" ] || fail "there is no $packages"
[ "$(id -u)" = 0 ] || fail "root is needed to build a root filesystem"
world=$(sed -n 's/^# WORLD=//p' "$packages")
root=.lab/rootfs-$world
[ "${2:-}" = inside ] || scripts/rootfs.sh "$world"
stamp=$(cat scripts/python-layer.sh "$packages" "$root/.stamp" | sha256sum | cut -d ' ' -f 1)
is_built() { [ "$(cat "$layer/.stamp-$name" 2>/dev/null || true)" = "$stamp" ]; }
if is_built; then
	say "$layer is up to date"
	exit 0
fi
if [ "${2:-}" != inside ]; then
	exec 9>"$layer.lock"
	flock 9
	if is_built; then
		say "$layer was built by another run meanwhile"
		exit 0
	fi
	: >"$log"
	rm -rf --one-file-system "$new"
	trap 'rm -rf --one-file-system "$new"' EXIT
	trap 'exit 130' INT TERM HUP
	mkdir -p "$new/layer" "$new/work" "$new/root"
	# The mounts are this namespace's own and end with it.
	unshare --mount --propagation private "$0" "$name" inside
	rm -rf --one-file-system "$layer"
	mv "$new/layer" "$layer"
	say "$layer is ready ($(du -sm "$layer" | cut -f 1) MB)"
	exit 0
fi

mount -t overlay overlay -o "lowerdir=$root,upperdir=$new/layer,workdir=$new/work" "$new/root"
mount -t proc proc "$new/root/proc"
mount -t tmpfs tmpfs "$new/root/tmp"
cp /etc/resolv.conf "$new/root/etc/resolv.conf"
cp "$packages" "$new/root/tmp/packages.txt"
unset PIP_FIND_LINKS PYTHONPATH PYENV_VERSION
if [ -r $certificates ]; then
	# The machine may be behind a proxy with an authority of its own.
	cp $certificates "$new/root/tmp/ca.crt"
	export SSL_CERT_FILE=/tmp/ca.crt PIP_CERT=/tmp/ca.crt
	unset SSL_CERT_DIR REQUESTS_CA_BUNDLE CURL_CA_BUNDLE
fi
export DEBIAN_FRONTEND=noninteractive PIP_DISABLE_PIP_VERSION_CHECK=1 LC_ALL=C.UTF-8
inside() { chroot "$new/root" "$@"; }

say "installing Python"
quiet "apt-get update" inside apt-get update
quiet "apt-get install python3-venv" inside apt-get install -y --no-install-recommends python3-venv
quiet "apt-get clean" inside apt-get clean
rm -rf "$new/root/var/lib/apt/lists"
# uv installs in a tenth of pip's time.
quiet "python3 -m venv" inside python3 -m venv /tmp/uv
quiet "pip install uv" inside /tmp/uv/bin/pip install --no-cache-dir uv
say "installing from PyPI"
quiet "python3 -m venv" inside python3 -m venv --without-pip "/opt/$name"
quiet "uv pip install" inside /tmp/uv/bin/uv pip install --python "/opt/$name/bin/python" --no-cache --no-deps \
	--only-binary :all: -r /tmp/packages.txt
say "checking the program"
case $name in
home-assistant-*)
	# That compiles what is imported at a start: every lab starts from this layer.
	imported="homeassistant.bootstrap, homeassistant.components.mqtt"
	quiet "homeassistant" inside "/opt/$name/bin/python" -c "import $imported"
	quiet "homeassistant --version" inside "/opt/$name/bin/python" -m homeassistant --version
	;;
*) quiet "$name --version" inside "/opt/$name/bin/$name" --version ;;
esac
echo "$stamp" >"$new/layer/.stamp-$name"
