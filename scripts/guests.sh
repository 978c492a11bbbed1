#!/bin/sh
# Builds the programs that share a router with BIRD and bgpwarden into .lab/guests: Tailscale with the tags of OpenWrt's
# package, Mihomo with nikki's, and a control server (test/lab/guests/control.go) for tailscaled's login and its peer.
set -eu
cd "$(dirname "$0")/.."

tailscale=v1.102.2
mihomo=v1.19.29
tailscale_tags=ts_include_cli,ts_omit_aws,ts_omit_bird,ts_omit_completion,ts_omit_kube,ts_omit_systray,ts_omit_taildrop,ts_omit_tap,ts_omit_tpm

set=guests
. scripts/go-programs.sh

build tailscaled tailscale.com/cmd/tailscaled tailscale.com "$tailscale" "$tailscale_tags"
build control test/lab/guests/control.go tailscale.com "$tailscale" "$tailscale_tags"
build mihomo github.com/metacubex/mihomo github.com/metacubex/mihomo "$mihomo" with_gvisor
