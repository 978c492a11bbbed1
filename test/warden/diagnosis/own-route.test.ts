import { describe, expect, test } from "vitest";
import type { Inspection } from "../../../src/model/inspection.ts";
import { reading, type Story, types } from "../story.ts";
import { established, PEER, passive, read, told } from "./bench.ts";

const network = { prefix: "192.168.1.0/24", interface: "br-lan" };
const onLink: Inspection = { route: { interface: "br-lan" }, network };
const around: Inspection = { route: { interface: "br-lan", gateway: "192.168.1.3" }, network };
const reset = { ...passive, state: "Idle", lastError: "Socket: Connection reset by peer" } as const;
const look = (story: Story, inspection: Inspection) =>
	story.happens({ type: "peer_inspected", address: PEER, inspection });

/** A session of some seconds, with the way to the peer as it is during and after it. */
function session(story: Story, during: Inspection, after: Inspection): void {
	story.happens(reading(established));
	for (let second = 0; second < 4; second++) {
		story.passes(1000);
		const asked = types(story.happens(reading(established)));
		if (asked.includes("inspect_peer") || second === 0) look(story, during);
	}
	story.happens(reading(reset));
	look(story, after);
	story.passes(3000);
}

describe("a route to the peer that the peer itself announces", () => {
	test("is named: it comes with the session and goes with it", () => {
		const story = read(passive);
		look(story, onLink);
		session(story, around, onLink);
		story.happens(reading(reset));
		expect(told(story)).toMatchObject({
			diagnosis: "own-route",
			level: "red",
			explanation: expect.stringContaining("by way of 192.168.1.3"),
		});
	});

	test("is named while the session is still up", () => {
		const story = read(passive);
		look(story, onLink);
		story.happens(reading(established));
		look(story, around);
		story.happens(reading(established));
		expect(told(story)).toMatchObject({ diagnosis: "own-route" });
	});

	test("has nothing restarted, however often the session breaks", () => {
		const story = read(passive);
		look(story, onLink);
		session(story, around, onLink);
		const asked = [];
		for (let round = 0; round < 20; round++) {
			story.happens(reading(established));
			look(story, around);
			story.passes(5000);
			look(story, around);
			for (let second = 0; second < 5; second++) {
				asked.push(...types([...story.happens(reading({ ...reset, bfd: "up" })), ...story.passes(1000)]));
				look(story, onLink);
			}
		}
		expect(asked).not.toContain("restart_peer");
	});

	test.each<[string, Inspection]>([
		["by way of a gateway", around],
		["through another device", { route: { interface: "tailscale0", table: "52" }, network }],
	])("is not what was there before the session, %s", (_, before) => {
		const story = read(passive);
		look(story, before);
		session(story, before, before);
		story.happens(reading(established));
		look(story, before);
		story.passes(5000);
		story.happens(reading(established));
		expect(told(story)).toMatchObject({ diagnosis: "healthy", level: "green" });
	});

	test("is not claimed of a session that was up before the daemon was", () => {
		const story = read(established);
		look(story, around);
		story.happens(reading(established));
		expect(told(story)).toMatchObject({ diagnosis: "healthy", level: "green" });
	});

	test("is not the wrong way that a router has while it starts", () => {
		const story = read(passive);
		look(story, { route: { interface: "wan", gateway: "203.0.113.1" }, network: "none" });
		session(story, onLink, onLink);
		story.happens(reading(established));
		look(story, onLink);
		story.happens(reading(established));
		expect(told(story)?.diagnosis).toBe("healthy");
	});

	const first: Inspection = { route: { interface: "wan", gateway: "203.0.113.1" }, network: "none" };
	const second: Inspection = { route: { interface: "lte", gateway: "198.51.100.1" }, network: "none" };
	test("of a peer that is further away is believed when it has come and gone twice: an uplink fails once", () => {
		const story = read(passive);
		look(story, second);
		session(story, first, second);
		story.happens(reading(reset));
		expect(told(story)?.diagnosis).not.toBe("own-route");
		session(story, first, second);
		story.happens(reading(reset));
		expect(told(story)).toMatchObject({ diagnosis: "own-route" });
	});

	test("is forgotten when a session comes up without it", () => {
		const story = read(passive);
		look(story, onLink);
		session(story, around, onLink);
		story.happens(reading(established));
		for (let second = 0; second < 10; second++) {
			story.passes(1000);
			if (types(story.happens(reading(established))).includes("inspect_peer")) look(story, onLink);
		}
		expect(told(story)?.diagnosis).toBe("healthy");
		story.happens(reading(reset));
		expect(told(story)?.diagnosis).not.toBe("own-route");
	});
});

describe("a route that outlives its session by a moment", () => {
	const gone: Inspection = { noRoute: "No route to host", network };
	const waits = { ...reset, lastError: "Error: BFD session down", bfd: "up" } as const;

	/** The session is lost, and the kernel has its route still. */
	function loses(during: Inspection): Story {
		const story = read(passive);
		look(story, onLink);
		story.happens(reading(established));
		look(story, during);
		story.passes(2000);
		story.happens(reading(waits));
		look(story, during);
		return story;
	}

	/** Restarts in 4 s after such a loss. */
	function restarts(during: Inspection): number {
		const story = loses(during);
		const actions = story.passes(500);
		look(story, onLink);
		for (let round = 0; round < 8; round++)
			actions.push(...story.happens(reading(waits)), ...story.passes(500));
		return types(actions).filter((type) => type === "restart_peer").length;
	}

	test("is named at once, and nothing is restarted", () => {
		expect(told(loses(gone))?.diagnosis).toBe("own-route");
		expect(restarts(gone)).toBe(0);
		expect(restarts(onLink)).toBeGreaterThan(0);
	});

	test("is not the session's when it stays", () => {
		const story = loses(around);
		story.passes(6000);
		look(story, around);
		story.happens(reading(waits));
		expect(told(story)?.diagnosis).not.toBe("own-route");
	});
});
