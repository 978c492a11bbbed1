import { network } from "../../network.ts";
import type { Peering } from "../../programs.ts";
import type { Speaker } from "../../speakers/kinds.ts";
import { pause } from "../../wait.ts";
import type { World } from "../world.ts";
import { type Cause, configureFrr, FLAP_PERIOD } from "./cause.ts";

/** A route to half of the peers' own network, by way of a host that is not there. */
async function ownRoute({ speaker, family }: World, verb: "" | "no "): Promise<void> {
	const [router, ip, prefix, next] =
		family === 6
			? [network.router.lan6, "ipv6", "fd00:1::/65", "ipv6 next-hop global fd00:1::3"]
			: [network.router.lan, "ip", "192.168.1.0/25", "ip next-hop 192.168.1.3"];
	await speaker.vtysh(
		"configure",
		`${ip} prefix-list ${router}-allowed-ipv${family} permit ${prefix}`,
		`route-map ${router}-out permit 1`,
		`set ${next}`,
		"exit",
		`router bgp ${network.speaker.as}`,
		`neighbor ${router} timers connect 5`,
		`address-family ipv${family} unicast`,
		`${verb}network ${prefix}`,
		"end",
	);
}

/** What lies between the two sides. */
export const NETWORK: readonly Cause<Speaker>[] = [
	{
		name: "a pulled cable",
		id: "peer-unreachable",
		async begin({ lab }) {
			// A link that is only without a carrier keeps its IPv6 addresses; one that is set down would lose them.
			await lab.speaker.run(["sysctl", "-qw", "net.ipv6.conf.eth0.keep_addr_on_down=1"]);
			await lab.speaker.link("eth0", "down");
		},
		async end({ lab, family }) {
			await lab.speaker.link("eth0", "up");
			await lab.speaker.run(["ip", "route", "replace", "default", "via", network.router.lan]);
			// IPv6 looks for duplicates of both link-local addresses first.
			const router = family === 6 ? network.router.lan6 : network.router.lan;
			await lab.speaker.run(["ping", "-c", "1", "-w", "5", "-i", "0.2", router]);
		},
	},
	{
		name: "a route through a tun device",
		id: "route-kind",
		async begin({ lab, family }) {
			const flag = family === 6 ? "-6" : "-4";
			const prefix = family === 6 ? "fd00:1::/64" : "192.168.1.0/24";
			await lab.router.run([
				"sh",
				"-c",
				"mkdir -p /dev/net; [ -e /dev/net/tun ] || mknod /dev/net/tun c 10 200",
			]);
			await lab.router.run(["ip", "tuntap", "add", "tailscale0", "mode", "tun"]);
			await lab.router.run(["ip", "link", "set", "tailscale0", "up"]);
			await lab.router.run(["ip", flag, "route", "add", prefix, "dev", "tailscale0", "table", "52"]);
			await lab.router.run(["ip", flag, "rule", "add", "pref", "5270", "table", "52"]);
		},
		async end({ lab, family }) {
			await lab.router.run(["ip", family === 6 ? "-6" : "-4", "rule", "del", "pref", "5270"]);
		},
	},
	{
		name: "a session that is reset again and again",
		id: "flapping",
		within: 30_000,
		async begin(world) {
			for (let round = 0; round < 4; round++) {
				await world.redial();
				await pause(FLAP_PERIOD);
			}
		},
		async end() {
			// It is over when the next reset does not come.
			await pause(FLAP_PERIOD);
		},
	},
];

/**
 * Where the session ends before BFD has come up, FRR's hold timer ends it: with BIRD's `graceful restart on` FRR would take the
 * router for one that restarts, and be silent for two minutes, whatever is mended.
 */
const aware: Peering = { extra: "graceful restart aware;" };

/** A node whose routes are wrong. */
export const ROUTES: readonly Cause[] = [
	{
		name: "a speaker that announces a part of the network that it lives in",
		id: "own-route",
		within: 15_000,
		healedWithin: 75_000,
		bird: aware,
		async begin(world) {
			await ownRoute(world, "");
			await world.redial();
		},
		end: (world) => ownRoute(world, "no "),
	},
	{
		name: "a speaker that begins to announce a part of its own network in a session",
		id: "own-route",
		within: 15_000,
		healedWithin: 75_000,
		bird: aware,
		shownBySession: true,
		begin: (world) => ownRoute(world, ""),
		end: (world) => ownRoute(world, "no "),
	},
	{
		name: "a kernel route in the speaker, and no ebgpMultiHop",
		id: "peer-silent",
		fromStart: true,
		// No speaker's timer is longer than 240 s.
		meanwhile: ["waiting"],
		within: 290_000,
		healedWithin: 10_000,
		bird: { multihop: false },
		// FRR-K8s writes `disable-connected-check` for an IPv6 peer of one hop.
		frr: { multihop: false, mode: "frr" },
		async begin({ lab, family }) {
			const [own, router] =
				family === 6
					? [network.speaker.address6, network.router.lan6]
					: [network.speaker.address, network.router.lan];
			const [flag, length] = family === 6 ? ["-6", 128] : ["-4", 32];
			await lab.speaker.run(["ip", flag, "address", "flush", "dev", "eth0", "scope", "global"]);
			await lab.speaker.run([
				"ip",
				"address",
				"add",
				`${own}/${length}`,
				"dev",
				"eth0",
				...(family === 6 ? ["nodad"] : []),
			]);
			await lab.speaker.run(["ip", flag, "route", "add", router, "dev", "eth0"]);
		},
		async end(world) {
			await configureFrr(world, (neighbor) => [`${neighbor} disable-connected-check`]);
		},
	},
];
