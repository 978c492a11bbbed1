import { describe, expect, test } from "vitest";
import { logged, nft, Story, settings, types } from "../story.ts";

const OWN = [{ type: "own_transaction" }, { type: "installed", owned: true }] as const;
const UNOWNED = [{ type: "own_transaction" }, { type: "installed", owned: false }] as const;
const WHOLE = { type: "listed", text: "whole" } as const;
const file = { path: "/x.nft", line: "add chain inet custom_bgp extra" };
const seen = { type: "firewall_seen", includes: [], meant: "started" } as const;
const named = { ...seen, includes: [file] } as const;
const gone = {
	type: "ruleset_changed",
	tables: ["inet fw4"],
	actor: nft,
	firewall: "missing",
} as const;
const back = { ...gone, firewall: "there" } as const;
const TEXT =
	/^table inet fw4 is missing though fw4 was started: .*; table inet custom_bgp has no owner until it is back$/;

/** A warden whose table is owned, on a router whose firewall runs. */
function owned(changes = {}): Story {
	const story = new Story(changes);
	story.happens({ type: "watch_started" }, { type: "started" }, { ...seen, table: "there" }, WHOLE);
	story.happens(...OWN, WHOLE, { type: "flushed", deleted: 0, left: 0 });
	story.passes(5000);
	return story;
}

const installs = (story: Story, ...events: Parameters<Story["happens"]>) =>
	story.happens(...events).flatMap((action) => (action.type === "install" ? [action.own ?? true] : []));
const looks = (actions: ReturnType<Story["happens"]>) =>
	actions.flatMap((action) => (action.type === "look_at_firewall" ? [action.listing] : []));
const problem = (story: Story) => story.status.router.problem;

describe("a file that names the table", () => {
	test("has the table without an owner at once, and owned again when it is gone; neither is a repair", () => {
		const story = owned();
		expect(installs(story, named)).toEqual([false]);
		expect(problem(story)).toMatch(
			/^\/x\.nft names table inet custom_bgp \("add chain inet custom_bgp extra"\) /,
		);
		expect(types(story.happens(...UNOWNED, WHOLE))).toEqual(["flush", "list"]);
		expect(story.status.router).toMatchObject({ protection: "installed", repairs: 0 });
		expect(installs(story, named, named)).toEqual([]);
		expect(installs(story, seen)).toEqual([true]);
		expect(problem(story)).toBeUndefined();
		expect(types(story.happens(...OWN, WHOLE))).toEqual(["list"]);
		expect(story.status.router).toMatchObject({ protection: "owned", repairs: 0 });
	});

	test("is known before the first install", () => {
		const story = new Story();
		story.happens({ type: "watch_started" }, { type: "started" }, named);
		expect(installs(story, WHOLE)).toEqual([false]);
	});

	test("is found by the install itself, which had no owner then", () => {
		const story = owned();
		story.happens({ type: "owner_lost", reason: "killed" });
		expect(installs(story, ...UNOWNED, named, WHOLE)).toEqual([]);
		expect(installs(story, seen)).toEqual([true]);
	});

	test("comes while an install makes an owner: another follows", () => {
		const story = owned();
		story.happens({ type: "owner_lost", reason: "killed" });
		expect(installs(story, named)).toEqual([]);
		expect(installs(story, ...OWN)).toEqual([false]);
	});

	test("does not keep the table from being repaired, without an owner", () => {
		const story = owned();
		story.happens(named, ...UNOWNED, WHOLE);
		expect(installs(story, { type: "table_touched", touch: "deleted", actor: nft })).toEqual([false]);
		story.happens(...UNOWNED);
		expect(story.status.router).toMatchObject({ protection: "installed", repairs: 1 });
	});

	test.each([["where the table is not to be owned", { protect: false }]])(
		"does not matter %s",
		(_, changes) => {
			const story = Story.kept(changes);
			expect(types(story.happens(named))).toEqual([]);
			expect(problem(story)).toBeUndefined();
		},
	);

	test("in a table that a person has released changes nothing", () => {
		const story = owned();
		story.happens({ type: "command", command: { verb: "release" } }, { type: "released", ids: [] });
		expect(installs(story, named, seen)).toEqual([]);
	});
});

describe("fw4's table is gone", () => {
	test("the table has no owner at once, that is told a moment later, and it has one again after fw4 is back", () => {
		const story = owned();
		expect(story.happens(gone).map(({ type }) => type)).toEqual(["log", "install", "look_at_firewall"]);
		story.happens(...UNOWNED, seen, WHOLE);
		expect(problem(story)).toBeUndefined();
		expect(looks(story.passes(2000))).toEqual([true]);
		story.happens({ ...seen, table: "missing" });
		expect(problem(story)).toMatch(TEXT);
		expect(story.status.router).toMatchObject({ protection: "installed", repairs: 0 });
		expect(installs(story, back)).toEqual([]);
		expect(problem(story)).toBeUndefined();
		expect(types(story.passes(4999))).not.toContain("install");
		expect(types(story.passes(1))).toContain("install");
		story.happens(...OWN, WHOLE);
		expect(story.status.router).toMatchObject({ protection: "owned", repairs: 0 });
	});

	test("a restart, which takes a second, is not told", () => {
		const story = owned();
		const said = logged([
			...story.happens(gone, ...UNOWNED, WHOLE),
			...story.passes(1000),
			...story.happens(back),
		]);
		expect(said).toEqual(["table inet fw4 is gone: table inet custom_bgp has no owner until it is back"]);
	});

	test("restarts again and again are one owner in the end, not one each", () => {
		const story = owned();
		let asked = 0;
		for (let round = 0; round < 20; round++) {
			asked += installs(story, gone, ...UNOWNED, WHOLE, back).length;
			asked += types(story.passes(1000)).filter((type) => type === "install").length;
		}
		expect(asked).toBe(1);
		expect(types(story.passes(5000))).toContain("install");
	});

	test("together with the table: it is repaired, without an owner", () => {
		const story = owned();
		expect(installs(story, gone, { type: "table_touched", touch: "deleted", actor: nft })).toEqual([false]);
		story.happens(...UNOWNED);
		expect(story.status.router).toMatchObject({ protection: "installed", repairs: 1 });
	});

	test("the owner that ends meanwhile is not followed by another", () => {
		const story = owned();
		story.happens(gone);
		expect(types(story.happens({ type: "owner_lost", reason: "killed" }))).toEqual([]);
	});

	test("where nothing says that it is meant to be there, only files matter, and they are looked at at once", () => {
		const story = owned();
		story.happens({ type: "firewall_seen", includes: [] });
		expect(story.happens(gone)).toEqual([{ type: "look_at_firewall", listing: false }]);
		expect(installs(story, { type: "firewall_seen", includes: [file] })).toEqual([false]);
	});

	test("because a person has stopped and disabled it: after five minutes that is no problem, and the table is owned", () => {
		const story = owned();
		story.happens(gone, ...UNOWNED, WHOLE);
		const disabled = { type: "firewall_seen", includes: [] } as const;
		story.passes(2000);
		story.happens({ ...disabled, table: "missing" });
		expect(problem(story)).toMatch(/^table inet fw4 is missing and the firewall is stopped /);
		story.passes(299_000);
		expect(installs(story, disabled)).toEqual([true]);
		expect(problem(story)).toBeUndefined();
		story.happens(...OWN, WHOLE);
		// And its return is no reason to let go
		expect(installs(story, back)).toEqual([]);
		expect(types(story.passes(10_000))).not.toContain("install");
	});

	test("because it is stopped, and would start with the next boot: told as long as that lasts", () => {
		const story = owned();
		story.happens(gone, ...UNOWNED, WHOLE);
		story.passes(3_600_000);
		expect(installs(story, { ...seen, meant: "enabled" })).toEqual([]);
		expect(problem(story)).toMatch(/^table inet fw4 is missing and the firewall is stopped /);
	});

	test("when the daemon starts: the table has no owner, and that is told if it lasts", () => {
		const story = new Story();
		story.happens({ type: "watch_started" }, { type: "started" }, { ...seen, table: "missing" });
		expect(installs(story, WHOLE)).toEqual([false]);
		story.happens(...UNOWNED, WHOLE);
		story.passes(19_000);
		story.happens(seen);
		expect(problem(story)).toBeUndefined();
		story.passes(1000);
		story.happens(seen);
		expect(problem(story)).toMatch(TEXT);
		story.happens({ ...seen, table: "there" });
		expect(problem(story)).toBeUndefined();
	});

	test("a router without fw4 has nothing to miss", () => {
		const story = new Story();
		const none = { type: "firewall_seen", includes: [], table: "missing" } as const;
		story.happens({ type: "watch_started" }, { type: "started" }, none);
		expect(installs(story, WHOLE)).toEqual([true]);
	});

	test("with `protect '0'` a failed start is told, and a stop is not", () => {
		const story = Story.kept({ protect: false });
		story.happens(seen, gone);
		story.passes(2000);
		story.happens({ ...seen, meant: "enabled" });
		expect(problem(story)).toBeUndefined();
		expect(types(story.happens(seen))).toEqual([]);
		expect(problem(story)).toMatch(TEXT);
	});
});

describe("the firewall is looked at", () => {
	const look = (listing: boolean) => ({ type: "look_at_firewall", listing });

	test.each([
		["at the start", { type: "started" }, true],
		["at ensure", { type: "command", command: { verb: "ensure" } }, true],
		["at a reload", { type: "configured", settings }, true],
		["by a new monitor", { type: "watch_started" }, true],
		["when the monitor missed something", { type: "watch_gap" }, true],
		["when fw4 changes", { type: "ruleset_changed", tables: ["inet fw4"], actor: nft }, false],
	] as const)("%s", (_, event, listing) => {
		expect(owned().happens(event)).toContainEqual(look(listing));
	});

	test("with each poll, whether BIRD runs or not, without a process", () => {
		const actions = owned().passes(60_000);
		expect(looks(actions)).toEqual([false, false, false, false]);
	});

	test("after a service, the firewall among them, has changed", () => {
		const story = owned();
		story.happens({ type: "service", service: "firewall", change: "start" });
		expect(looks(story.passes(1000))).toEqual([true]);
	});

	test("by one process, however many want it, and once more for all who came meanwhile", () => {
		const story = owned();
		const wants = { type: "command", command: { verb: "ensure" } } as const;
		const all = Array.from({ length: 100 }, () => story.happens(wants)).flat();
		expect(looks(all)).toEqual([true]);
		expect(looks(story.happens(seen))).toEqual([true]);
		expect(looks(story.happens(seen))).toEqual([]);
		// One that is never answered is not waited for.
		expect(looks(story.happens(wants))).toEqual([true]);
		story.passes(10_000);
		expect(looks(story.happens(wants))).toEqual([true]);
	});

	test("once a second where somebody changes fw4's rules all the time; not for other tables", () => {
		const story = owned();
		const all = [];
		for (let round = 0; round < 100; round++) {
			const done = [
				...story.happens({ type: "ruleset_changed", tables: ["inet fw4"], actor: nft }),
				...story.passes(50),
			];
			if (looks(done).length > 0) done.push(...story.happens(seen));
			all.push(...done);
		}
		expect(looks(all)).toHaveLength(6);
		story.passes(1000);
		expect(story.happens({ type: "ruleset_changed", tables: ["ip nat"], actor: nft })).toEqual([]);
	});
});
