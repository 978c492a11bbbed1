import { afterEach, beforeEach, expect, test } from "vitest";
import { startDaemon } from "../daemon.ts";
import { type Lab, startLab } from "../lab.ts";
import { network } from "../network.ts";
import { trackedBgp } from "../programs.ts";
import { meetProxy } from "../session.ts";
import { until } from "../wait.ts";

let lab: Lab;
beforeEach(async () => {
	lab = await startLab();
});
afterEach(() => lab.stop());

/**
 * The limits are FRR's: without the daemon's restart the session comes with FRR's next dial, after 12 to 15 s. On a quiet
 * machine it takes 2 s, which `make bench` measures. The limit for single-hop BFD is wider: as FRR dials it learns its own
 * address, and replaces its BFD session by one with that address (`bgp_peer_bfd_update_source`). That session's first
 * packet, Down, comes within milliseconds of the handshake. When BIRD is Established by then, it needs a second restart
 * (src/warden/peers/restart.ts).
 */
test.each([
	{ bfd: "multihop", multihop: true, limit: 10_000 },
	{ bfd: "single-hop", multihop: false, limit: 15_000 },
])(
	"the ghost: a proxy has caught the session, the daemon starts, and it comes up ($bfd BFD)",
	async (given) => {
		// Given a NAT redirect that catches port 179, BFD up, and BGP not
		const { bird, frr } = await meetProxy(lab, given);
		await until("BFD up, BGP not", async () => [await bird.peer(), await frr.peer()], {
			holds: ([router, speaker]) =>
				router?.bfd === "Up" && speaker?.bfd === "up" && router.bgp !== "Established",
			timeout: 20_000,
		});
		await until("an entry on port 179", () => trackedBgp(lab.router), {
			holds: (entries) => entries.length > 0,
		});

		// When the daemon starts
		const { warden, daemon } = startDaemon(lab.router, { mqtt: { enabled: false } });

		// Then the session is Established and nothing of it is tracked
		await daemon.untilStatus(
			"the peer is Established",
			({ peers }) => peers.some((peer) => peer.name === network.peer && peer.state === "Established"),
			{ timeout: given.limit },
		);
		expect(await trackedBgp(lab.router)).toEqual([]);
		// No `peer_nudged` where FRR dialled again by itself in that very moment: its OpenSent ends after 15 s.
		const types = warden.events().map((event) => event.event_type);
		expect(types).toEqual(expect.arrayContaining(["conntrack_flushed", "peer_up"]));
		await until("FRR to say so too", () => frr.peer(), { holds: (peer) => peer.bgp === "Established" });
	},
);
