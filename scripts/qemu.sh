#!/bin/sh
# Makes sure that qemu-user is there, which runs other processors' programs. Says only what it does.
set -eu

for machine in x86_64 aarch64 arm mips mipsel riscv64; do
	command -v "qemu-$machine-static" >/dev/null || missing=1
done
[ -n "${missing:-}" ] || exit 0
[ "$(id -u)" = 0 ] || {
	echo "qemu: failed: qemu-user-static is missing, and only root can install it" >&2
	exit 1
}
echo "qemu: installing qemu-user-static"
apt-get update -q >/dev/null 2>&1 || true
DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends qemu-user-static >/dev/null 2>&1 || {
	echo "qemu: failed: apt-get install qemu-user-static" >&2
	exit 1
}
