#!/bin/sh
# Run by the package feed's CI on the installed package, with its name and version.

case "${1:-$PKG_NAME}" in
quickjs)
	qjs --help | grep -F "$(echo "${2:-$PKG_VERSION}" | tr . -)" || exit 1
	qjs -e 'console.log([6, 7].reduce((a, b) => a * b))' | grep -x 42 || exit 1
	;;
esac
