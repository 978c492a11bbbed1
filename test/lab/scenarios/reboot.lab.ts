import { afterEach, beforeEach, expect, test } from "vitest";
import { type Lab, startLab } from "../lab.ts";
import { network } from "../network.ts";
import { birdMultihop, type Frr, fw4Table, startBird, startProxy, trackedBgp } from "../programs.ts";
import {
	establish,
	type Session,
	sessionMark,
	settledMark,
	tableListing,
	untilEstablished,
} from "../session.ts";
import { until } from "../wait.ts";
import { protection } from "../world.ts";

let lab: Lab;
let before: Session;
let frr: Frr;
/** A router that has run for a while, and a power cut. Nobody touches the speaker from here on. */
beforeEach(async () => {
	lab = await startLab();
	await lab.router.nft(fw4Table);
	before = await establish(lab);
	frr = before.frr;
	await lab.powerOff();
	await until("the speaker to notice", () => frr.peer(), { holds: ({ bgp }) => bgp !== "Established" });
	await lab.powerOn();
	await lab.router.nft(fw4Table);
});
afterEach(() => lab.stop());

const savedTable = "/etc/bgpwarden/table.nft";
const caught = new RegExp(`^caught (::ffff:)?${network.speaker.address}$`);

test("after a reboot with the proxy first, the daemon, then BIRD, the session comes up", async () => {
	await startProxy(lab.router);
	const daemon = before.warden.start();
	await daemon.untilStatus("the table is in place", ({ router }) => router.protection !== "missing");
	expect(daemon.process.pid).not.toBe(before.daemon.process.pid);
	await startBird(lab.router, birdMultihop());

	await untilEstablished(daemon, { timeout: 20_000 });
	await until("the speaker to say so too", () => frr.peer(), { holds: ({ bgp }) => bgp === "Established" });
	expect(await trackedBgp(lab.router)).toEqual([]);
});

test("after a reboot with proxy and BIRD long before the daemon, the ghost is there, and the daemon ends it", async () => {
	const proxy = await startProxy(lab.router);
	const bird = await startBird(lab.router, birdMultihop());
	await proxy.says(caught, 20_000);
	expect((await bird.peer()).bgp).not.toBe("Established");
	expect((await trackedBgp(lab.router)).join("\n")).toContain(" dport=179 ");

	const daemon = before.warden.start();
	await untilEstablished(daemon, { timeout: 20_000 });
	await until("the speaker to say so too", () => frr.peer(), { holds: ({ bgp }) => bgp === "Established" });
	expect(await trackedBgp(lab.router)).toEqual([]);
	expect(before.warden.status()?.router.flushed).toBeGreaterThan(0);
});

test("after a reboot with the saved table first, as the init script does it, no ghost ever arises", async () => {
	// The init script's boot() runs this before the firewall and the network; the daemon wrote the file in its earlier run.
	await lab.router.run(["nft", "-f", savedTable]);
	const listing = await tableListing(lab.router);
	const proxy = await startProxy(lab.router);
	const bird = await startBird(lab.router, birdMultihop());

	// Then the session comes up before the daemon has even started
	const mark = await settledMark({ bird, frr });

	// And the daemon finds everything as it should be
	const daemon = before.warden.start();
	await untilEstablished(daemon, { timeout: 10_000 });
	expect(await before.warden.cli(["ensure"])).toMatchObject({ code: 0 });
	expect(await tableListing(lab.router)).toBe(listing);
	const { router } = await daemon.untilStatus("protection", ({ router }) => router.protection === protection);
	expect(router.repairs).toBe(0);
	expect(before.warden.events().map((event) => event.event_type)).not.toContain("peer_nudged");
	expect(await sessionMark({ bird, frr })).toBe(mark);
	expect(proxy.lines.filter((line) => caught.test(line))).toEqual([]);
	expect(await trackedBgp(lab.router)).toEqual([]);
});
