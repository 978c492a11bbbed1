# Every target installs what it lacks (apt and npm packages, the lab's root filesystem). The two that matter:
#   make demo   the main job on a real network in a box, as a timeline
#   make test   everything that can be checked
.DEFAULT_GOAL := help
SHELL := /bin/sh
.PHONY: help preflight build test test-all test-worlds test-checkouts endurance unit contract lab test-diagnosis test-remedies test-hostile soak test-faults test-neighbors test-flash test-upgrade fuzz audit demo bench package package-quickjs feed release test-arch lint rootfs clean test-ha test-ha-all test-fleet screenshot test-guests test-speakers figures-speakers

# The Node.js to use is found, or installed, first.
NODE = node=$$(scripts/setup.sh) || exit; PATH="$$node:$$PATH"; export PATH;

help:
	@echo 'make demo     play the main job in the lab and show it (root)'
	@echo 'make test     lint, unit tests, the platform contract under qjs, the lab (root for the lab)'
	@echo 'make test-all   what make test leaves out, one target after the other; an hour (root)'
	@echo 'make endurance  make demo 20 times, make test 10 times, half of them on a busy machine (root)'
	@echo 'make test-hostile   10,000 hostile changes against each of the two modes of protection (root)'
	@echo 'make test-neighbors   hostile brokers, MQTT clients, BGP peers, SYN floods and names, each with its bounds (root)'
	@echo 'make test-faults   every fault of everything that the daemon depends on, and what came of it (root)'
	@echo 'make build    dist/bgpwarden.js'
	@echo 'make package  dist/bgpwarden_VERSION_all.ipk (with apk 3 on PATH the .apk too)'
	@echo 'make package-quickjs   dist/quickjs_VERSION_ARCHITECTURE.ipk, cross-built (root for the first time)'
	@echo 'make feed     dist/feed/ARCHITECTURE: packages with an index, for opkg'
	@echo 'make release  dist/bgpwarden-VERSION.tar.gz, which OpenWrt SDKs build from'
	@echo 'make test-arch   everything portable on each cross-built qjs, under qemu-user'
	@echo 'make test-diagnosis   every cause of a dead session, played in the lab, and what was said of it (root)'
	@echo 'make test-remedies   every such cause with remediation and without it: never lost more often, nor back later (root)'
	@echo 'make soak     an hour of weather on real parts: memory, descriptors, and whether all say the same (root); MINUTES=10'
	@echo 'make test-flash   nothing is written to flash at rest, for an hour, and every write is whole when it is cut (root); QUICK=1'
	@echo 'make test-upgrade   from 0.1.0, with sessions that are up (root)'
	@echo 'make test-ha  a real Home Assistant against the lab (root; installs it from PyPI into .lab); HA=2025.9 another one'
	@echo 'make test-ha-all   every release of Home Assistant in test/ha, the newest on Debian testing (root)'
	@echo 'make test-fleet   200 routers on one broker, with figures (root)'
	@echo 'make screenshot   docs/home-assistant-*.png anew, by headless Chromium (root)'
	@echo 'make test-guests   beside the real Tailscale and Mihomo, which Go builds first (root)'
	@echo 'make test-speakers   ghosts, reboots, restarts, replaced nodes and causes with each kind of speaker: FRR-K8s, GoBGP, Calico, native (root)'
	@echo 'make figures-speakers   how long sessions are down then, with bgpwarden and without it; more than an hour (root); COUNT=1'
	@echo 'make fuzz     a million inputs for each parser, other ones each time; INPUTS=10000'
	@echo 'make audit    npm packages with known holes, as the npm registry tells them'
	@echo 'make bench    the figures, as a table (root)'
	@echo 'make unit, make lab, make lint    parts of make test'
	@echo 'make contract QJS=PATH   the platform contract on another qjs'
	@echo 'make clean    remove what was built; .lab/rootfs too'

build:
	@$(NODE) npm run --silent build && ls -l dist/bgpwarden.js | awk '{print "built " $$NF ", " $$5 " bytes"}'

package: build
	@scripts/zopfli.sh
	@$(NODE) node scripts/package.mjs

package-quickjs: rootfs
	@$(NODE) node scripts/package-quickjs.mjs

feed: package package-quickjs
	@$(NODE) node scripts/feed.mjs

release: build
	@$(NODE) node scripts/release.mjs

# With QUICK=1 one of each kind: 64 bits, 32 bits without a floating point unit, and the other byte order.
test-arch: ARCHITECTURES = $(and $(QUICK),x86_64 aarch64_generic arm_cortex-a9 mips_24kc)
test-arch: build rootfs
	@scripts/qemu.sh
	@$(NODE) node scripts/package-quickjs.mjs --build-only $(ARCHITECTURES)
	@$(NODE) npx tsx test/arch/main.ts $(ARCHITECTURES)

# Not part of any test: what it finds is not in this tree, and not every registry answers it.
audit:
	@$(NODE) npm audit

lint:
	@$(NODE) npm run --silent check && npm run --silent lint && scripts/lint-shell.sh

# Said before anything is built; without root only what needs none is run.
preflight:
	@scripts/preflight.sh $(PREFLIGHT)

rootfs:
	@if [ "$$(id -u)" = 0 ]; then scripts/rootfs.sh; fi

unit: build rootfs
	@$(NODE) npx vitest run --project unit

contract: rootfs
	@$(NODE) scripts/vitest.sh unit -- test/contract/quickjs.test.ts

lab: preflight build rootfs
	@$(NODE) npx vitest run --project lab --project alone

test:
	@[ "$$(id -u)" != 0 ] || scripts/preflight.sh
	@$(MAKE) --no-print-directory lint build rootfs
	@$(NODE) sh scripts/test.sh

test-all:
	@scripts/test-all.sh

test-worlds: preflight build
	@$(NODE) scripts/test-worlds.sh

test-checkouts:
	@scripts/test-checkouts.sh

endurance:
	@scripts/endurance.sh

test-diagnosis: preflight build rootfs
	@$(NODE) npx tsx test/lab/diagnosis/main.ts

test-remedies: preflight build rootfs
	@$(NODE) npx tsx test/lab/diagnosis/remedies.ts

# Four minutes, with QUICK=1 one; make test has a shorter version of it.
test-hostile: preflight build rootfs
	@$(NODE) HOSTILE=$$([ -n "$$QUICK" ] && echo 3000 || echo 10000) scripts/vitest.sh alone -- test/lab/scenarios/alone/hostile.lab.ts

test-flash: preflight build rootfs
	@$(NODE) npx tsx test/lab/flash/main.ts

test-upgrade: preflight build rootfs
	@$(NODE) npx tsx test/lab/upgrade/main.ts

fuzz:
	@$(NODE) npx tsx test/fuzz/main.ts --inputs=$${INPUTS:-1000000}

test-neighbors: preflight build rootfs
	@$(NODE) npx tsx test/lab/neighbors/main.ts

soak: preflight build rootfs
	@$(NODE) npx tsx test/lab/soak/main.ts

test-faults: preflight build rootfs
	@$(NODE) npx tsx test/lab/faults/main.ts

test-ha: preflight build rootfs
	@$(NODE) scripts/test-ha.sh $(HA)

test-ha-all: preflight build rootfs
	@$(NODE) scripts/test-ha.sh 2024.12 2025.9 2025.11 2026.11

test-fleet: preflight build rootfs
	@$(NODE) npx tsx test/fleet/main.ts

screenshot: preflight build rootfs
	@scripts/python-layer.sh home-assistant-2025.11
	@$(NODE) npx tsx test/ha/screenshot.ts

test-guests: PREFLIGHT = tun
test-guests: preflight build rootfs
	@scripts/guests.sh
	@$(NODE) scripts/vitest.sh guests
	@$(NODE) npx tsx test/lab/guests/figures/main.ts

test-speakers: preflight build rootfs
	@scripts/speakers.sh
	@$(NODE) scripts/vitest.sh speakers

figures-speakers: preflight build rootfs
	@scripts/speakers.sh
	@$(NODE) npx tsx test/lab/speakers/figures.ts

demo: preflight build rootfs
	@$(NODE) npx tsx test/lab/demo/main.ts

bench: preflight build rootfs
	@$(NODE) npx tsx test/lab/bench/main.ts

clean:
	rm -rf --one-file-system dist node_modules .tools .lab
