import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { repairing } from "../daemon.ts";
import { contained } from "../host.ts";
import { type Lab, startLab } from "../lab.ts";
import { articleTable, fw4Flush, fw4Restart, startProxy } from "../programs.ts";
import {
	establish,
	flapsSoFar,
	monitorsOf,
	nftPid,
	type Session,
	sessionMark,
	settledMark,
	statesSeen,
	tableListing,
	toldOf,
	unknownProcess,
	untilWatched,
} from "../session.ts";
import { until } from "../wait.ts";
import { canDestroy } from "../world.ts";

/** One session for all wipes: whatever is done to the firewall, it must be the same one at the end. */
let lab: Lab;
let session: Session;
let mark: string;
let flaps: number;
beforeAll(async () => {
	lab = await startLab();
	await fw4Restart(lab.router);
	session = await establish(lab, { main: repairing });
	mark = await settledMark(session);
	flaps = await flapsSoFar(session.daemon);
});
afterAll(() => lab.stop());

let listing: string;
let repairs: number;
let eventsBefore: number;
beforeEach(async () => {
	await fw4Restart(lab.router);
	listing = await tableListing(lab.router);
	repairs = session.warden.status()?.router.repairs ?? Number.NaN;
	eventsBefore = session.warden.events().length;
});

/** The events about the table since the test began. */
function tableEvents() {
	const events = session.warden.events().slice(eventsBefore);
	return events.filter(({ event_type }) => event_type.startsWith("table_"));
}

interface Culprit {
	readonly pid?: number;
	readonly command?: string;
	readonly parent?: string;
}

/** The table is in place as before, after one repair, with the right name in it, and the session has not noticed. */
async function thenRepaired(reason: "deleted" | "changed", culprit: Culprit = {}) {
	expect(listing).toContain("chain raw_out");
	await until("the listing of before", () => tableListing(lab.router), {
		holds: (now) => now === listing,
		timeout: 2000,
		every: 20,
	});
	await session.daemon.untilStatus("a repair", (status) => status.router.repairs > repairs);
	await thenUndisturbed();
	expect(await tableListing(lab.router)).toBe(listing);
	const noticed = reason === "deleted" ? "table_lost" : "table_changed";
	const events = tableEvents();
	expect(events).toMatchObject([
		{ event_type: noticed, by: "nft", ...toldOf(culprit) },
		{ event_type: "table_restored", by: "nft", ...toldOf(culprit), reason },
	]);
	const { router } = session.warden.status() ?? {};
	expect(router).toMatchObject({ repairs: repairs + 1, last_repair: { reason } });
	const { by, described, pid } = router?.last_repair ?? {};
	expect(by).toBe("nft");
	if (contained) {
		// An id or a command would be another process's.
		expect([described, pid]).toEqual([unknownProcess, undefined]);
		expect(events.flatMap((event) => Object.keys(event))).not.toContain("pid");
		expect(events.flatMap((event) => Object.keys(event))).not.toContain("command");
	} else {
		expect(pid).toBe(culprit.pid ?? pid);
		expect(described).toMatch(new RegExp(`^nft \\(pid ${pid}\\b`));
	}
	return described;
}

async function thenUndisturbed(): Promise<void> {
	expect(await statesSeen(session.bird)).toEqual(["Established"]);
	expect(await sessionMark(session)).toBe(mark);
	expect(session.warden.status()?.peers).toMatchObject([{ state: "Established", flaps }]);
}

/** A file for `nft -f`. */
function script(text: string): string[] {
	lab.router.write("/tmp/tamper.nft", text);
	return ["-f", "/tmp/tamper.nft"];
}

/** A rule of a chain, as `delete rule` wants it named. */
async function rule(chain: string, matching: RegExp): Promise<string[]> {
	const { stdout } = await lab.router.run(["nft", "-a", "list", "chain", "inet", "custom_bgp", chain]);
	const handle = stdout.split("\n").find((line) => matching.test(line));
	return ["inet", "custom_bgp", chain, "handle", handle?.match(/# handle (\d+)/)?.[1] ?? "none"];
}

const table = ["inet", "custom_bgp"];

test.each([
	{ what: "the whole ruleset is flushed", nft: () => ["flush", "ruleset"] },
	{ what: "the table is deleted", nft: () => ["delete", "table", ...table] },
	...(canDestroy ? [{ what: "the table is destroyed", nft: () => ["destroy", "table", ...table] }] : []),
])("a wipe: $what", async ({ nft }) => {
	const pid = await nftPid(lab.router, nft());
	await thenRepaired("deleted", { pid });
});

test("a wipe: `fw4 flush` deletes every table, one by one", async () => {
	await fw4Flush(lab.router);
	await thenRepaired("deleted");
});

test.each<{ what: string; nft: () => string[] | Promise<string[]> }>([
	{
		what: "a rule is deleted",
		nft: async () => ["delete", "rule", ...(await rule("raw_out", /sport 179.*notrack/))],
	},
	{
		what: "a rule is replaced",
		nft: async () => ["replace", "rule", ...(await rule("filter_input", /udp/)), "drop"],
	},
	{ what: "a rule is inserted before ours", nft: () => ["insert", "rule", ...table, "raw_pre", "accept"] },
	{
		what: "a foreign rule is added",
		nft: () => ["add", "rule", ...table, "filter_input", "tcp", "dport", "22", "drop"],
	},
	{ what: "a chain is flushed", nft: () => ["flush", "chain", ...table, "raw_pre"] },
	{
		what: "a chain is deleted",
		nft: () => script("flush chain inet custom_bgp raw_out\ndelete chain inet custom_bgp raw_out\n"),
	},
	{ what: "a chain is renamed", nft: () => ["rename", "chain", ...table, "filter_input", "other"] },
	{
		what: "a foreign chain is added",
		nft: () => ["add", "chain", ...table, "other", "{ type filter hook input priority 5; }"],
	},
	{
		what: "a chain's policy becomes drop",
		nft: () => ["chain", ...table, "filter_input", "{ policy drop; }"],
	},
	{ what: "the table is flushed", nft: () => ["flush", "table", ...table] },
	{ what: "the table is made dormant", nft: () => ["add", "table", ...table, "{ flags dormant; }"] },
	{ what: "a set is added", nft: () => ["add", "set", ...table, "seen", "{ type ipv4_addr; }"] },
	{
		what: "the article's own table takes its place",
		nft: () => script(`delete table inet custom_bgp\n${articleTable}`),
	},
	{ what: "the article's own table is added to it", nft: () => script(articleTable) },
])("tampering: $what", async ({ nft }) => {
	const pid = await nftPid(lab.router, await nft());
	await thenRepaired("changed", { pid });
});

describe("who did it", () => {
	test("nft's own prompt, and the script that has it", async () => {
		// Here nft is still there when it is looked for.
		const script = "(echo delete table inet custom_bgp; sleep 1) | nft -i; true";
		await lab.router.run(["sh", "-c", script]);
		const by = await thenRepaired("deleted", { command: "nft -i", parent: `sh -c ${script}` });
		expect(by).toContain(contained ? unknownProcess : `, nft -i), started by sh -c ${script}`);
	});

	test("nft in a script, and the script if nft has not ended within the millisecond", async () => {
		const script = "nft delete table inet custom_bgp; true";
		await lab.router.run(["sh", "-c", script]);
		const by = await thenRepaired("deleted");
		expect(by?.match(/, started by (.*)$/)?.[1] ?? `sh -c ${script}`).toBe(`sh -c ${script}`);
	});

	test("nft, also when the daemon hung meanwhile", async () => {
		session.daemon.process.kill("SIGSTOP");
		const pid = await nftPid(lab.router, ["delete", "table", ...table]);
		expect(await tableListing(lab.router)).toBe("");
		session.daemon.process.kill("SIGCONT");
		const by = await thenRepaired("deleted", { pid });
		expect(by).toBe(contained ? unknownProcess : `nft (pid ${pid})`);
	});
});

describe("what is no loss", () => {
	/** A wipe afterwards shows that the monitor has told everything before it. */
	async function thenOnlyThisWipeCounts(): Promise<void> {
		const pid = await nftPid(lab.router, ["delete", "table", ...table]);
		await thenRepaired("deleted", { pid });
	}

	test("changes of other tables, also of such that have the name in another family", async () => {
		const proxy = await startProxy(lab.router);
		await proxy.end("SIGTERM");
		await lab.router.run(["nft", "delete", "table", "inet", "proxy"]);
		await lab.router.nft("table ip custom_bgp { chain raw_pre { }; }\n");
		await lab.router.nft("delete table ip custom_bgp\n");
		await lab.router.nft("table inet custom_bgp2 { set s { type ipv4_addr; elements = { 10.0.0.1 }; }; }\n");
		await lab.router.nft("delete element inet custom_bgp2 s { 10.0.0.1 }\n");
		await lab.router.nft("delete table inet custom_bgp2\n");
		await fw4Restart(lab.router);
		await thenOnlyThisWipeCounts();
	});

	test("what the daemon does itself: looking, reading its configuration again, starting its monitor again", async () => {
		expect(await session.warden.cli(["ensure"])).toMatchObject({
			code: 0,
			stdout: "table inet custom_bgp is in place\n",
		});
		session.daemon.reload();
		await session.daemon.process.says(/configuration reloaded/);
		const monitors = monitorsOf(lab.router);
		expect(monitors).toHaveLength(1);
		lab.router.signalEach(monitors, "SIGKILL");
		await until("another monitor", () => monitorsOf(lab.router), {
			holds: (pids) => pids.length === 1 && pids[0] !== monitors[0],
		});
		await untilWatched(lab.router);
		// A listing that is under way would show the loss before the monitor does, and knows nobody.
		let quiet = 0;
		await until("its looks to be over", async () => {
			const looks = (await nftChildren()).filter((line) => !line.endsWith("nft monitor"));
			quiet = looks.length === 0 ? quiet + 1 : 0;
			return quiet >= 5;
		});
		await thenOnlyThisWipeCounts();
	});

	/** Lines of ps(1) about the daemon's children. */
	async function nftChildren(): Promise<string[]> {
		const { stdout } = await lab.router.run([
			"ps",
			"-o",
			"pid=,args=",
			"--ppid",
			`${session.daemon.process.pid}`,
		]);
		return stdout.split("\n").filter((line) => / nft /.test(line));
	}
});
