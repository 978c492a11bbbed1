#!/bin/sh
# Builds GoBGP, the BGP engine of Cilium, kube-vip and kube-router, into .lab/speakers: the daemon and its command line.
set -eu
cd "$(dirname "$0")/.."

gobgp=v4.8.0

set=speakers
. scripts/go-programs.sh

build gobgpd github.com/osrg/gobgp/v4/cmd/gobgpd github.com/osrg/gobgp/v4 "$gobgp" ""
build gobgp github.com/osrg/gobgp/v4/cmd/gobgp github.com/osrg/gobgp/v4 "$gobgp" ""
