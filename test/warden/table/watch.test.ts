import { describe, expect, test } from "vitest";
import type { Action } from "../../../src/warden/actions.ts";
import { statusOf } from "../../../src/warden/status.ts";
import { logged, nft, Story, types, untilInstall } from "../story.ts";

const deleted = { type: "table_touched", touch: "deleted", actor: nft } as const;
const identity = { version: "1", router: "r", pid: 1 };

describe("the monitor", () => {
	test("a new one is followed by a look, and by an install that it must show", () => {
		const story = Story.kept();
		story.happens({ type: "watch_ended", reason: "nft monitor: exit 1" });
		expect(types(story.happens({ type: "watch_started" }))).toEqual(["list"]);
		expect(types(story.happens({ type: "listed", text: "whole" }))).toEqual(["install"]);
		story.happens({ type: "own_transaction" }, { type: "installed" });
		expect(story.status.router.repairs).toBe(0);
	});

	test("one that does not show our own install is replaced", () => {
		const story = Story.kept();
		story.passes(10_000);
		story.happens({ type: "watch_gap" }, { type: "listed", text: "whole" });
		story.happens({ type: "configured", settings: { ...story.state.settings, forwarded: true } });
		story.happens({ type: "installed" });
		expect(types(story.passes(1000))).toContain("replace_watch");
	});

	test("one that does not show our own install may hide a loss: the kernel is asked before the next one has started", () => {
		const story = Story.kept();
		story.passes(10_000);
		story.happens({ type: "watch_gap" }, { type: "listed", text: "whole" });
		story.happens({ type: "configured", settings: { ...story.state.settings, forwarded: true } });
		story.happens({ type: "installed" }, { type: "listed", text: "whole" });
		expect(types(story.passes(501))).toEqual(["list", "replace_watch"]);
		expect(types(story.happens({ type: "listed", text: undefined }))).toContain("install");
	});

	test("one that does not show the repair of a loss is replaced after three repairs, later each time", () => {
		const story = Story.kept();
		story.passes(10_000);
		story.happens(deleted);
		for (const patience of [250, 500]) {
			story.happens({ type: "installed" });
			expect(types(story.passes(patience - 1))).toEqual([]);
			expect(types(story.passes(2))).toEqual(["install"]);
		}
		story.happens({ type: "installed" });
		expect(types(story.passes(751))).toEqual(["table_restored", "list", "replace_watch"]);
	});

	test("one that shows nothing keeps nobody waiting who has asked for the table", () => {
		const story = Story.kept();
		story.passes(10_000);
		story.happens(deleted);
		story.happens({ type: "command", command: { verb: "ensure", id: "7" } });
		const replies: Action[] = [];
		for (let install = 0; install < 3; install++) {
			story.happens({ type: "installed" });
			replies.push(...story.passes(751).filter(({ type }) => type === "reply"));
		}
		expect(replies).toEqual([expect.objectContaining({ id: "7", ok: true })]);
		expect(story.status.router).toMatchObject({ protection: "installed", repairs: 1 });
		// What is there is looked at: it may have been taken away meanwhile.
		expect(types(story.happens({ type: "listed", text: undefined }))).toContain("install");
		expect(story.status.router.protection).toBe("missing");
	});

	test("where none shows anything, an install every second brings the table back", () => {
		const story = Story.kept();
		story.passes(10_000);
		story.happens(deleted);
		let installs = 0;
		const deal = (actions: readonly Action[]): void => {
			for (const { type } of actions) {
				if (type === "install") {
					installs++;
					deal(story.happens({ type: "installed" }));
				}
				if (type === "list") deal(story.happens({ type: "listed", text: "whole" }));
				if (type === "replace_watch")
					deal(story.happens({ type: "watch_ended", reason: "replaced" }, { type: "watch_started" }));
			}
		};
		deal(story.happens({ type: "installed" }));
		for (let past = 0; past < 60_000; past += 50) deal(story.passes(50));
		expect(installs).toBeGreaterThan(50);
		expect(installs).toBeLessThan(130);
	});

	test("while there is none, the table is looked at twice a second", () => {
		const story = Story.kept();
		story.happens({ type: "watch_ended", reason: "gone" });
		for (let look = 0; look < 5; look++) {
			expect(types(story.passes(500))).toEqual(["list"]);
			story.happens({ type: "listed", text: "whole" });
		}
		story.happens({ type: "watch_started" }, { type: "listed", text: "whole" });
		story.happens({ type: "own_transaction" }, { type: "installed" }, { type: "listed", text: "whole" });
		expect(types(story.passes(5000))).toEqual([]);
	});

	test("one that is paused is a problem until another one is started", () => {
		const story = Story.kept();
		story.passes(10_000);
		story.happens({ type: "watch_ended", reason: "too many traces", paused: true });
		expect(story.status.router.problem).toBe(
			"changes of the ruleset are noticed late for a minute: too many traces",
		);
		story.happens({ type: "watch_started" });
		expect(story.status.router.problem).toBeUndefined();
	});

	test("without one, the end of nft counts as the install", () => {
		const story = Story.kept();
		story.happens({ type: "watch_ended", reason: "gone" }, { type: "watch_gap" });
		story.happens({ type: "listed", text: undefined }, { type: "installed" });
		expect(story.status.router).toMatchObject({ protection: "installed", repairs: 1 });
	});

	test("one that ends again and again is a problem until one stays", () => {
		const story = Story.kept();
		story.happens({ type: "watch_ended", reason: "nft: not found" });
		story.happens({ type: "watch_ended", reason: "nft: not found" });
		expect(statusOf(story.state, identity).router.problem).toContain(
			"cannot watch the ruleset: nft: not found",
		);
		story.happens({ type: "watch_started" });
		expect(statusOf(story.state, identity).router.problem).toBeUndefined();
	});
});

describe("a listing that fails", () => {
	test("after the monitor has missed something is followed by an install, later each time", () => {
		const story = Story.kept();
		story.passes(10_000);
		story.happens({ type: "watch_gap" });
		const times: number[] = [];
		const told: string[] = [];
		for (let round = 0; round < 7; round++) {
			const start = story.time;
			told.push(...logged(story.happens({ type: "list_failed", reason: "nft: not found" })));
			untilInstall(story);
			times.push(story.time - start);
			// Which is listed once it is there.
			story.happens({ type: "own_transaction" });
			expect(types(story.happens({ type: "installed" }))).toContain("list");
		}
		expect(times).toEqual([250, 500, 1000, 2000, 4000, 8000, 10_000]);
		expect(told).toEqual(["table inet custom_bgp cannot be listed: nft: not found"]);
		story.happens({ type: "listed", text: "whole" });
		story.happens({ type: "watch_gap" }, { type: "list_failed", reason: "nft: not found" });
		expect(types(story.passes(250))).toContain("install");
	});

	test("says nothing where nobody else can change the table", () => {
		const story = Story.kept();
		story.happens({ type: "own_transaction" }, { type: "installed", owned: true });
		story.happens({ type: "listed", text: "whole" }, { type: "watch_gap" });
		story.happens({ type: "list_failed", reason: "nft: not found" });
		expect(types(story.passes(20_000))).not.toContain("install");
	});
});
