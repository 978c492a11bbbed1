import { afterEach, beforeEach, expect, test } from "vitest";
import { startDaemon } from "../daemon.ts";
import { type Lab, startLab } from "../lab.ts";
import { articleTable, birdMultihop, fw4Table, startBird, startFrr, trackedBgp } from "../programs.ts";
import { tableListing, untilEstablished } from "../session.ts";
import { until } from "../wait.ts";
import { protection } from "../world.ts";

let lab: Lab;
beforeEach(async () => {
	lab = await startLab();
});
afterEach(() => lab.stop());

/** Packets that fw4 has dropped on their way out. */
async function droppedAnswers(): Promise<number> {
	const { stdout } = await lab.router.run(["nft", "list", "chain", "inet", "fw4", "output"]);
	return Number(stdout.match(/packets (\d+) .*drop/)?.[1] ?? Number.NaN);
}

test("the article's own table and fw4's `ct state invalid drop` keep the session down; the daemon brings it up", async () => {
	// Given the article's table, whose prerouting chain hides the speaker's SYN from conntrack, so that fw4 calls the
	// router's SYN-ACK invalid
	await lab.router.nft(fw4Table);
	await lab.router.nft(articleTable);
	const bird = await startBird(lab.router, birdMultihop());
	const frr = await startFrr(lab.speaker);
	await until("the router's answers to be dropped", droppedAnswers, {
		holds: (dropped) => dropped >= 3,
		timeout: 25_000,
	});
	expect((await bird.peer()).bgp).toBe("Passive");
	expect((await frr.peer()).bgp).not.toBe("Established");

	// When the daemon starts
	const { warden, daemon } = startDaemon(lab.router, { mqtt: { enabled: false } });

	// Then its table has taken the article's place, and the session comes up with nothing of it tracked or dropped, as
	// soon as the speaker repeats its SYN, at the latest 16 s later; BFD, which could hurry it, has not begun yet
	await untilEstablished(daemon, { timeout: 25_000 });
	expect(await tableListing(lab.router)).toContain("hook output");
	expect(await trackedBgp(lab.router)).toEqual([]);
	const dropped = await droppedAnswers();
	await until("FRR to say so too", () => frr.peer(), { holds: ({ bgp }) => bgp === "Established" });
	expect(await droppedAnswers()).toBe(dropped);
	expect(warden.status()).toMatchObject({ router: { protection, repairs: 0 } });
});
