import { describe, expect, test } from "vitest";
import type { Action } from "../../../src/warden/actions.ts";
import { statusOf } from "../../../src/warden/status.ts";
import { logged, nft, peer, reading, Story, types, untilInstall } from "../story.ts";

const passive = peer({ state: "Passive", protocolState: "start" });

const deleted = { type: "table_touched", touch: "deleted", actor: nft } as const;
const changed = { type: "table_touched", touch: "changed", actor: nft } as const;
const identity = { version: "1", router: "r", pid: 1 };

describe("the start", () => {
	test("looks first, installs, then looks and flushes", () => {
		const story = new Story();
		expect(types(story.happens({ type: "started" }))).toEqual(["list"]);
		expect(types(story.happens({ type: "listed", text: undefined }))).toEqual(["install"]);
		const after = story.happens({ type: "own_transaction" }, { type: "installed" });
		expect(types(after)).toEqual(["flush", "list"]);
		expect(statusOf(story.state, identity).router).toMatchObject({ protection: "installed", repairs: 0 });
	});

	test("a table that was there in another form is replaced, which is no repair, but restarts peers that are down", () => {
		const story = new Story();
		story.happens({ type: "started" }, { type: "listed", text: "the article's" });
		story.happens({ type: "own_transaction" }, { type: "installed" });
		expect(logged(story.happens({ type: "listed", text: "whole" }))).toEqual([
			"found table inet custom_bgp in another form; replaced it",
		]);
		expect(story.status.router.repairs).toBe(0);
		expect(types(story.happens(reading(passive)))).toContain("restart_peer");
	});

	test("a table that was there as wanted restarts nobody", () => {
		const story = new Story();
		story.happens({ type: "started" }, { type: "listed", text: "whole" });
		story.happens({ type: "own_transaction" }, { type: "installed" }, { type: "listed", text: "whole" });
		expect(types(story.happens(reading(passive)))).not.toContain("restart_peer");
	});

	test("a look that fails does not keep the table from being installed", () => {
		const story = new Story();
		story.happens({ type: "started" });
		expect(types(story.happens({ type: "list_failed", reason: "x" }))).toEqual(["install"]);
	});
});

describe("a loss", () => {
	test.each([
		[deleted, "table_lost", "deleted"],
		[changed, "table_changed", "changed"],
	] as const)("%o is repaired at once and told with who did it", (event, told, reason) => {
		const story = Story.kept();
		expect(types(story.happens(event))).toEqual([told, "install"]);
		story.time += 3.25;
		const after = story.happens({ type: "own_transaction" });
		expect(after).toContainEqual({
			type: "report",
			event: "table_restored",
			details: { by: "nft", described: "nft (pid 4711)", pid: 4711, reason, milliseconds: 3.3 },
		});
		expect(statusOf(story.state, identity).router).toMatchObject({
			protection: "installed",
			repairs: 1,
			last_repair: {
				by: "nft",
				described: "nft (pid 4711)",
				pid: 4711,
				reason,
				milliseconds: 3.3,
				at: "2026-11-24T03:00:06Z",
			},
		});
	});

	test("a change before our running install is covered by it", () => {
		const story = Story.kept();
		story.happens(deleted);
		expect(types(story.happens(changed, deleted))).toEqual([]);
		story.happens({ type: "own_transaction" });
		expect(story.status.router.repairs).toBe(1);
	});

	test("a change right after our install, before its process has ended, is another loss", () => {
		const story = Story.kept();
		story.happens(deleted, { type: "own_transaction" });
		expect(types(story.happens(deleted))).toEqual(["table_lost"]);
		expect(types(story.happens({ type: "installed" }))).toEqual(["flush", "install"]);
		expect(types(story.happens({ type: "own_transaction" }))).toContain("table_restored");
	});

	test("found by looking, it has no known author", () => {
		const story = Story.kept();
		story.happens({ type: "watch_gap" });
		story.happens({ type: "listed", text: "other" });
		const actions = story.happens({ type: "listed", text: "other" });
		expect(actions).toContainEqual({ type: "report", event: "table_changed", details: {} });
		expect(types(actions)).toContain("install");
		expect(types(story.happens({ type: "own_transaction" }, { type: "installed" }))).toContain("list");
		expect(types(story.happens({ type: "listed", text: undefined }))).toContain("table_lost");
	});

	test("the protection is missing until the table is back", () => {
		const story = Story.kept();
		story.happens(deleted);
		expect(statusOf(story.state, identity).router.protection).toBe("missing");
	});

	test("a listing that was asked for before a change says nothing", () => {
		const story = Story.kept();
		story.happens({ type: "watch_gap" }, deleted, { type: "own_transaction" });
		expect(types(story.happens({ type: "listed", text: undefined }))).toEqual([]);
		expect(story.status.router.protection).toBe("installed");
	});

	test("a reference taken a moment before a change is not trusted", () => {
		const story = new Story();
		story.happens({ type: "watch_started" }, { type: "started" }, { type: "listed", text: undefined });
		story.happens({ type: "own_transaction" }, { type: "installed" }, { type: "listed", text: "tampered" });
		story.time += 20;
		story.happens(changed, { type: "own_transaction" }, { type: "installed" });
		expect(types(story.happens({ type: "listed", text: "whole" }))).toEqual([]);
		expect(types(story.happens({ type: "watch_gap" }, { type: "listed", text: "whole" }))).toEqual(["list"]);
	});

	test("is none where a second look sees the table as it was: nft has listed a chain twice", () => {
		const story = Story.kept();
		story.passes(20_000);
		story.happens({ type: "watch_gap" });
		expect(types(story.happens({ type: "listed", text: "whole, and a chain again" }))).toEqual(["list"]);
		expect(types(story.happens({ type: "listed", text: "whole" }))).toEqual([]);
		expect(story.status.router.repairs).toBe(0);
	});

	test("nft that lists the same table in other words is believed at the third time", () => {
		const story = Story.kept();
		story.happens({ type: "watch_gap" });
		for (let round = 0; round < 2; round++) {
			expect(types(story.happens({ type: "listed", text: "other words" }))).toEqual(["list"]);
			expect(types(story.happens({ type: "listed", text: "other words" }))).toContain("install");
			story.happens({ type: "own_transaction" }, { type: "installed" });
		}
		story.happens({ type: "listed", text: "other words" });
		expect(types(story.happens({ type: "listed", text: "other words" }))).toEqual([]);
		expect(types(story.happens({ type: "watch_gap" }, { type: "listed", text: "other words" }))).toEqual([
			"list",
		]);
	});
});

describe("an install that fails", () => {
	test("is a problem and is tried again, later each time", () => {
		const story = Story.kept();
		story.happens(deleted);
		const times: number[] = [];
		for (let round = 0; round < 6; round++) {
			const start = story.time;
			story.happens({ type: "install_failed", reason: "nft: not found" });
			for (let second = 0; second < 200 && !types(story.passes(250)).includes("install"); second++);
			times.push(story.time - start);
		}
		expect(times).toEqual([250, 500, 1000, 2000, 4000, 8000]);
		expect(statusOf(story.state, identity).router.problem).toBe(
			"table inet custom_bgp cannot be installed: nft: not found",
		);
		story.happens({ type: "own_transaction" }, { type: "installed" });
		expect(statusOf(story.state, identity).router.problem).toBeUndefined();
		expect(story.status.router.repairs).toBe(1);
	});

	test("at the start, whatever has the table's name is no protection", () => {
		const story = new Story();
		story.happens({ type: "started" }, { type: "listed", text: "another program's" });
		expect(statusOf(story.state, identity).router.protection).toBe("installed");
		story.happens({ type: "install_failed", reason: "held" });
		expect(statusOf(story.state, identity).router.protection).toBe("missing");
		story.passes(250);
		story.happens({ type: "own_transaction" }, { type: "installed" });
		expect(statusOf(story.state, identity).router.protection).toBe("installed");
	});

	test("is tried again at once when somebody deletes the table: nft works again, for them at least", () => {
		const story = Story.kept();
		story.happens(changed);
		for (let round = 0; round < 7; round++) {
			story.happens({ type: "install_failed", reason: "nft: not found" });
			if (round < 6) untilInstall(story);
		}
		story.passes(1000);
		expect(types(story.happens(deleted))).toEqual([]);
		// However often that happens.
		const installs = Array.from({ length: 20 }, () => {
			story.happens(deleted);
			return types(story.passes(50));
		}).flat();
		expect(installs).toEqual(["install"]);
	});
});

describe("another name", () => {
	test("that comes while an install runs leaves no table behind", () => {
		const story = Story.kept();
		const settings = { ...story.state.settings };
		story.happens({ type: "configured", settings: { ...settings, forwarded: true } });
		story.happens({ type: "configured", settings: { ...settings, table: "other" } });
		const actions = story.happens({ type: "own_transaction" }, { type: "installed" });
		expect(actions.find(({ type }) => type === "install")).toMatchObject({ former: ["custom_bgp"] });
		story.happens({ type: "own_transaction" }, { type: "installed" });
		expect(story.state.table.former).toEqual([]);
	});
});

describe("ensure", () => {
	const ensure = { type: "command", command: { verb: "ensure", id: "1" } } as const;

	test("answers that the table is in place", () => {
		const story = Story.kept();
		expect(types(story.happens(ensure))).toEqual(["list"]);
		expect(story.happens({ type: "listed", text: "whole" })).toContainEqual({
			type: "reply",
			id: "1",
			ok: true,
			text: "table inet custom_bgp is in place",
		});
	});

	test("answers that it was put back", () => {
		const story = Story.kept();
		story.happens(ensure, { type: "listed", text: undefined });
		expect(story.happens({ type: "own_transaction" })).toContainEqual({
			type: "reply",
			id: "1",
			ok: true,
			text: "table inet custom_bgp was deleted; restored",
		});
	});

	test("answers that it cannot be put back", () => {
		const story = Story.kept();
		story.happens(ensure, { type: "listed", text: undefined });
		const actions = story.happens({ type: "install_failed", reason: "nft: no" });
		expect(actions).toContainEqual({ type: "reply", id: "1", ok: false, text: "nft: no" });
	});
});

describe("another configuration", () => {
	test("another table name removes the old table and installs the new one", () => {
		const story = Story.kept();
		const settings = { ...story.state.settings, table: "bgp" };
		const actions = story.happens({ type: "configured", settings });
		expect(actions).toContainEqual({
			type: "install",
			spec: {
				table: "bgp",
				scope: "any",
				forwarded: false,
				bypassMark: 0x2024,
				routeMark: 0,
				addresses: [],
				ports: [179],
			},
			former: ["custom_bgp"],
		});
	});

	test("changed again during an install, which then says nothing about the newest text", () => {
		const story = Story.kept();
		const configured = (addresses: string[]) =>
			types(story.happens({ type: "configured", settings: { ...story.state.settings, addresses } }));
		expect(configured(["192.0.2.1"])).toEqual(["install"]);
		expect(configured(["192.0.2.1", "192.0.2.2"])).toEqual([]);
		const next = story.happens({ type: "own_transaction" }, { type: "installed" });
		expect(next).toContainEqual(
			expect.objectContaining({
				type: "install",
				spec: expect.objectContaining({ addresses: ["192.0.2.1", "192.0.2.2"] }),
			}),
		);
		expect(types(next)).not.toContain("list");
		expect(types(story.happens({ type: "own_transaction" }, { type: "installed" }))).toContain("list");
		story.happens({ type: "listed", text: "both" });
		expect(story.status.router.repairs).toBe(0);
		expect(types(story.happens({ type: "watch_gap" }, { type: "listed", text: "both" }))).toEqual(["list"]);
	});

	test("the same table stays untouched", () => {
		const story = Story.kept();
		const settings = { ...story.state.settings, pollInterval: 5 };
		expect(types(story.happens({ type: "configured", settings }))).toEqual([]);
	});
});

describe("a flood of SYNs from others", () => {
	const spec = (actions: readonly Action[]) => actions.find((action) => action.type === "install")?.spec;

	test("has peers traced apart, once for each list of them", () => {
		const story = Story.kept();
		expect(types(story.happens({ type: "syn_flood" }))).toEqual([]);
		story.happens({ type: "bird_up" }, reading(peer({ neighborAddress: "192.168.1.2" })));
		expect(spec(story.happens({ type: "syn_flood" }))?.traced).toEqual(["192.168.1.2"]);
		story.happens({ type: "own_transaction" }, { type: "installed" }, { type: "listed", text: "another" });
		expect(types(story.happens({ type: "syn_flood" }))).toEqual([]);
		expect(story.status.router.repairs).toBe(0);
	});

	test("is nothing with scope `peers`, where strangers are not traced", () => {
		const story = Story.kept({ scope: "peers" });
		story.happens({ type: "bird_up" }, reading(peer({ neighborAddress: "192.168.1.2" })));
		story.happens({ type: "own_transaction" }, { type: "installed" }, { type: "listed", text: "another" });
		expect(types(story.happens({ type: "syn_flood" }))).toEqual([]);
	});
});
