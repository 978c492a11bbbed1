import { describe, expect, test } from "vitest";
import { statusOf } from "../../../src/warden/status.ts";
import { nextDeadline } from "../../../src/warden/warden.ts";
import { logged, nft, Story, settings, types } from "../story.ts";

const deleted = { type: "table_touched", touch: "deleted", actor: nft } as const;
const ownedInstall = [{ type: "own_transaction" }, { type: "installed", owned: true }] as const;
const lost = { type: "owner_lost", reason: "nft: killed" } as const;
const release = { type: "command", command: { verb: "release", id: "7" } } as const;
const ensure = { type: "command", command: { verb: "ensure", id: "8" } } as const;

const router = (story: Story) => statusOf(story.state, { version: "1", router: "r", pid: 1 }).router;

/** A warden whose table is owned. */
function owned(): Story {
	const story = new Story();
	story.happens({ type: "watch_started" }, { type: "started" }, { type: "listed", text: "whole" });
	story.happens(...ownedInstall, { type: "listed", text: "whole" });
	story.happens({ type: "flushed", deleted: 0, left: 0 });
	story.passes(5000);
	return story;
}

describe("an owned table", () => {
	test("is told as such, and the log says how to get it back", () => {
		const story = new Story();
		story.happens({ type: "watch_started" }, { type: "started" }, { type: "listed", text: undefined });
		expect(logged(story.happens(...ownedInstall))).toEqual([
			"table inet custom_bgp installed",
			"table inet custom_bgp is owned: nobody else can change it (bgpwarden release gives it up, and so does stopping the service)",
		]);
		expect(router(story).protection).toBe("owned");
	});

	test("that lost its owner gets another at once, which is no repair", () => {
		const story = owned();
		expect(types(story.happens(lost))).toEqual(["install"]);
		expect(router(story)).toMatchObject({ protection: "installed", repairs: 0 });
		story.happens(...ownedInstall, { type: "listed", text: "whole" });
		expect(router(story)).toMatchObject({ protection: "owned", repairs: 0 });
	});

	test("whose owners end as soon as they are there gets a new one each second", () => {
		const story = owned();
		story.happens(lost);
		let installs = 0;
		for (let round = 0; round < 10; round++) {
			story.happens(...ownedInstall, { type: "listed", text: "whole" });
			expect(types(story.happens(lost))).toEqual([]);
			installs += types(story.passes(1000)).filter((type) => type === "install").length;
		}
		expect(installs).toBe(10);
	});

	test("that was changed between two owners is repaired by the second", () => {
		const story = owned();
		story.happens(lost);
		expect(types(story.happens(deleted))).toEqual(["table_lost"]);
		expect(types(story.happens(...ownedInstall))).toContain("table_restored");
		expect(router(story)).toMatchObject({ protection: "owned", repairs: 1 });
	});

	test("that cannot be owned any more is kept by repair", () => {
		const story = owned();
		story.happens(
			lost,
			{ type: "own_transaction" },
			{ type: "installed" },
			{ type: "listed", text: "whole" },
		);
		expect(router(story).protection).toBe("installed");
		expect(types(story.happens(deleted))).toEqual(["table_lost", "install"]);
	});
});

test("an install that fails as the table is released is not tried again, nor is its time waited for", () => {
	const story = Story.kept();
	story.happens({ type: "table_touched", touch: "deleted", actor: nft });
	story.happens({ type: "command", command: { id: "7", verb: "release" } });
	story.happens({ type: "released", ids: ["7"] }, { type: "install_failed", reason: "held" });
	let ticks = 0;
	for (; ticks < 100; ticks++) {
		const deadline = nextDeadline(story.state);
		if (deadline === undefined || deadline > story.time) break;
		story.happens({ type: "tick" });
	}
	expect(ticks).toBeLessThan(5);
	expect(types(story.passes(60_000))).not.toContain("install");
});

describe("a table that a person has released", () => {
	function released(): Story {
		const story = owned();
		expect(story.happens(release)).toContainEqual({ type: "release", ids: ["7"] });
		story.happens({ type: "released", ids: ["7"] });
		return story;
	}

	test("is neither owned nor repaired, whatever happens to it, and the status says so", () => {
		const story = released();
		expect(router(story)).toMatchObject({ protection: "installed" });
		expect(router(story).problem).toBe(
			"table inet custom_bgp was released on request; bgpwarden ensure protects it again",
		);
		const wanted = [
			...story.happens(deleted),
			...story.happens({ type: "watch_gap" }, { type: "listed", text: undefined }),
			...story.happens({ type: "watch_started" }, { type: "listed", text: undefined }),
			...story.passes(60_000),
		];
		expect(types(wanted).filter((type) => type !== "list")).toEqual([]);
		expect(router(story)).toMatchObject({ protection: "missing", repairs: 0 });
	});

	test("is answered when it is done, or why not", () => {
		const story = owned();
		story.happens(release);
		expect(story.happens({ type: "released", ids: ["7"] })).toContainEqual({
			type: "reply",
			id: "7",
			ok: true,
			text: "table inet custom_bgp is released: anybody can change it; bgpwarden ensure protects it again",
		});
		story.happens(release);
		const failed = story.happens({ type: "released", ids: ["7"], failure: "nft: no" });
		expect(failed).toContainEqual({ type: "reply", id: "7", ok: false, text: "nft: no" });
	});

	test("is protected again by `ensure`, with an install though it looks as before", () => {
		const story = released();
		expect(types(story.happens(ensure))).toEqual(["install"]);
		expect(router(story).problem).toBeUndefined();
		const answers = story.happens(...ownedInstall, { type: "listed", text: "whole" });
		expect(answers).toContainEqual({
			type: "reply",
			id: "8",
			ok: true,
			text: "table inet custom_bgp is in place",
		});
		expect(router(story).protection).toBe("owned");
	});

	test("is not taken back by a hook of the firewall's, which asks without an id", () => {
		const story = released();
		expect(types(story.happens({ type: "command", command: { verb: "ensure" } }))).toEqual([]);
	});

	test("is protected again by a reload", () => {
		const story = released();
		expect(types(story.happens({ type: "configured", settings }))).toEqual(["install"]);
		expect(router(story).problem).toBeUndefined();
	});
});

test("`protect` changed is an install", () => {
	const story = owned();
	const settings = { ...story.state.settings, protect: false };
	expect(types(story.happens({ type: "configured", settings }))).toEqual(["install"]);
});
