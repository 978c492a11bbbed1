import { afterEach, beforeEach, expect, test } from "vitest";
import { startDaemon } from "../daemon.ts";
import { type Lab, startLab } from "../lab.ts";
import { birdMultihop, FakeUbus, startBird, startMosquitto } from "../programs.ts";
import { until } from "../wait.ts";
import { protection } from "../world.ts";

let lab: Lab;
beforeEach(async () => {
	lab = await startLab();
});
afterEach(() => lab.stop());

/** The children that every daemon has, by id; the owner is one of them where the table is owned. */
function marked(): Map<number, string> {
	const found = new Map<number, string>();
	for (const pid of lab.router.processes()) {
		const mark = /(?:^|\0)BGPWARDEN_PARENT=(\d+):/.exec(lab.router.read(`/proc/${pid}/environ`) ?? "");
		const command = lab.router.read(`/proc/${pid}/cmdline`)?.split("\0").join(" ").trim();
		if (mark && command) found.set(pid, command);
	}
	return found;
}

test("a daemon that is killed again and again leaves nothing behind once another has started, and nobody else is ended", async () => {
	await FakeUbus.start(lab.router);
	await startMosquitto(lab.broker);
	await startBird(lab.router, birdMultihop());
	// A person's own, which looks like the daemon's
	const own = lab.router.start(["ubus", "subscribe", "service"], { name: "a person's ubus" });
	const whole = { monitor: 1, birdcl: 1, bus: 2, mqtt: 1, owner: protection === "owned" ? 1 : 0 };
	const children = () => {
		const commands = [...marked().values()];
		const count = (what: RegExp) => commands.filter((command) => what.test(command)).length;
		return {
			monitor: count(/^nft monitor$/),
			birdcl: count(/^birdcl /),
			// The lab's ubus becomes a cat.
			bus: count(/^cat$/),
			mqtt: count(/^nc /),
			owner: count(/^nft -e -f -$/),
		};
	};
	const settled = (what: string) =>
		until(`one of each: ${what}`, children, {
			holds: (now) => JSON.stringify(now) === JSON.stringify(whole),
			timeout: 20_000,
		});

	const started = startDaemon(lab.router);
	const { warden } = started;
	let { daemon } = started;
	for (let round = 0; round < 3; round++) {
		await daemon.untilStatus("protected", ({ router }) => router.protection === protection);
		await settled(`start ${round}`);
		const before = new Set(marked().keys());
		await daemon.crash();
		// What does not notice that its reader is gone
		expect([...marked().values()].filter((command) => command === "cat")).toHaveLength(2);
		daemon = warden.start();
		await daemon.untilStatus("protected", ({ router }) => router.protection === protection);
		await settled(`after crash ${round}`);
		expect([...marked().keys()].filter((pid) => before.has(pid))).toEqual([]);
	}
	expect(daemon.process.lines.join("\n")).toMatch(/ended \d+ processes that an earlier daemon left behind/);
	expect(own.running).toBe(true);

	// One that is told to stop takes its children along
	await daemon.stop();
	await until("no child", marked, { holds: (left) => left.size === 0 });
	expect(own.running).toBe(true);
});
