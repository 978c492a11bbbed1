import { afterEach, beforeEach, expect, test } from "vitest";
import { startDaemon } from "../daemon.ts";
import { type Lab, startLab } from "../lab.ts";
import { network } from "../network.ts";
import { birdPeering, proxyTable, startBird, startFrr } from "../programs.ts";
import { flapsSoFar, settledMark, untilEstablished } from "../session.ts";
import { until } from "../wait.ts";

const PORT = 1790;
const { router } = network;

let lab: Lab;
beforeEach(async () => {
	lab = await startLab();
});
afterEach(() => lab.stop());

/** A proxy that takes all TCP of the LAN, whatever its port. */
const proxy = proxyTable.replace("tcp dport 179", `iifname "${router.lanInterface}" meta l4proto tcp`);
const conntrack = async () => (await lab.router.run(["conntrack", "-L"], { allowFailure: true })).stdout;

test("BGP on another port is as safe as on its own, from the start and from a reconfiguration of BIRD on", async () => {
	// Given BIRD on port 1790, and a speaker that dials it, as with MetalLB's peerPort
	const { warden, daemon } = startDaemon(lab.router, { mqtt: { enabled: false } });
	const bird = await startBird(lab.router, birdPeering({ port: PORT }));
	const frr = await startFrr(lab.speaker, { port: PORT });
	await untilEstablished(daemon, { timeout: 30_000 });
	await daemon.untilStatus("both ports", (status) => status.router.ports.join() === `179,${PORT}`);

	// When a proxy takes the LAN's TCP, and the speaker dials anew
	await settledMark({ bird, frr });
	const flaps = await flapsSoFar(daemon);
	await lab.router.nft(proxy);
	await frr.vtysh("clear bgp *");

	// Then the session comes back, past conntrack
	const { peers } = await daemon.untilStatus(
		"the session again",
		({ peers: [peer] }) => peer?.state === "Established" && peer.flaps > flaps,
		{ timeout: 30_000 },
	);
	expect(peers[0]?.diagnosis).not.toBe("hijacked");
	await settledMark({ bird, frr });
	await flapsSoFar(daemon);
	expect(await conntrack()).not.toContain(`port=${PORT} `);
	const doctor = await warden.cli(["doctor"]);
	expect(doctor.stdout).toContain("The table keeps BGP away from rules that would catch it otherwise.");
	expect(doctor.stdout).not.toContain("bgp-caught");
	expect(doctor.code).toBe(0);

	// And the copy for the next boot has the port, which a daemon that starts keeps until it has read bird.conf
	const copy = () => lab.router.read("/etc/bgpwarden/table.nft") ?? "";
	await until("the copy", () => copy().includes(`{ 179, ${PORT} }`));

	// When BIRD is put on its own port again
	await lab.router.nft("delete table inet proxy\n");
	await bird.configure(birdPeering());

	// Then the table goes with it
	await daemon.untilStatus("BGP's own port alone", (status) => status.router.ports.join() === "179", {
		timeout: 20_000,
	});
	await until("the copy to follow", () => !copy().includes(String(PORT)));
});
