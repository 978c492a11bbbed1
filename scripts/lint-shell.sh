#!/bin/sh
# Checks every script that runs on the router with shellcheck, as dash: the nearest relative of busybox ash.
set -eu
cd "$(dirname "$0")/.."

if ! command -v shellcheck >/dev/null; then
	if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
		echo "lint: installing shellcheck"
		apt-get update -q >/dev/null 2>&1 || true
		DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends shellcheck >/dev/null 2>&1
	elif [ "${CI:-}" != true ]; then
		echo "lint: shellcheck is missing, and only root can install it: the router's scripts are not checked"
		exit 0
	fi
fi
files=openwrt-package/bgpwarden/files
find init.d "$files" -type f ! -name '*.json' ! -path "$files/etc/config/*" ! -path "$files/lib/upgrade/*" \
	-exec shellcheck -x -s dash {} +
shellcheck -s dash openwrt-package/*/test.sh
