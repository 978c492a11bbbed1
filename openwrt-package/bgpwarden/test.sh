#!/bin/sh
# Run by the package feed's CI on the installed package, with its name and version.

case "${1:-$PKG_NAME}" in
bgpwarden)
	bgpwarden --version | grep -F "${2:-$PKG_VERSION}" || exit 1
	bgpwarden check || exit 1
	bgpwarden render nft | grep -F 'table inet custom_bgp' || exit 1
	# Nobody has started it.
	bgpwarden status
	[ $? -eq 3 ] || exit 1
	;;
esac
