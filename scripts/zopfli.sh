#!/bin/sh
# Makes sure that zopfli is there, which packs the package tighter than zlib; without it the package is a few kB larger.
set -eu
command -v zopfli >/dev/null && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
	echo "package: installing zopfli"
	apt-get update -q >/dev/null 2>&1 || true
	DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends zopfli >/dev/null 2>&1 && exit 0
fi
echo "package: zopfli is missing: the package will be a few kB larger"
