import { expect, test } from "vitest";
import type { StoredEvent } from "../../src/model/event.ts";
import type { Status } from "../../src/model/status.ts";
import { earlierOpens, StatusFiles } from "../../src/report/run-files.ts";
import { FakePlatform } from "../fakes/platform.ts";

const status = (repairs: number): Status => ({
	router: {
		version: "1",
		router: "r",
		pid: 1,
		started: "2026-11-24T03:00:00Z",
		protection: "installed",
		table: "custom_bgp",
		ports: [179],
		level: "green",
		repairs,
		flushed: 0,
		bird: { reachable: true },
	},
	peers: [],
});
const event = (number: number): StoredEvent => ({
	event_type: "peer_up",
	at: "2026-11-24T03:00:00Z",
	number,
});

test("the status is written when something in it is new", () => {
	const { files } = new FakePlatform();
	const written = new StatusFiles(files, "/run");
	expect(written.status(status(1))).toBeUndefined();
	expect(JSON.parse(files.read("/run/status.json"))).toEqual(status(1));
	files.remove("/run/status.json");
	written.status(status(1));
	expect(files.status("/run/status.json")).toBeUndefined();
	written.status(status(2));
	expect(JSON.parse(files.read("/run/status.json")).router.repairs).toBe(2);
});

test("the last 500 events are kept, also over a restart", () => {
	const { files } = new FakePlatform();
	for (let run = 0; run < 4; run++) {
		const written = new StatusFiles(files, "/run");
		for (let number = 0; number < 250; number++) written.event(event(run * 250 + number));
	}
	const kept = files
		.read("/run/events.jsonl")
		.trim()
		.split("\n")
		.map((line) => JSON.parse(line).number);
	expect(kept.at(-1)).toBe(999);
	expect(kept.length).toBeGreaterThanOrEqual(500);
	expect(kept.length).toBeLessThan(600);
	expect(kept).toEqual(kept.map((_, index) => 1000 - kept.length + index));
});

test("a full run directory is one reason, and the status is written once there is room", () => {
	const { files } = new FakePlatform();
	const written = new StatusFiles(files, "/run");
	files.fail("/run/status.json", "No space left on device");
	expect(written.status(status(1))).toContain("No space left on device");
	files.fail("/run/status.json", undefined);
	expect(written.status(status(1))).toBeUndefined();
	expect(files.status("/run/status.json")).toBeDefined();
});

test("an events file that is too large to be ours gives way", () => {
	const { files } = new FakePlatform();
	files.set("/run/events.jsonl", "x".repeat(2 << 20));
	const written = new StatusFiles(files, "/run");
	expect(written.event(event(1))).toBeUndefined();
	expect(files.read("/run/events.jsonl")).toBe(`${JSON.stringify(event(1))}\n`);
});

test("somebody who removes or replaces the status is noticed, and it is written again", () => {
	const { files } = new FakePlatform();
	const written = new StatusFiles(files, "/run");
	expect(written.isIntact).toBe(true);
	written.status(status(1));
	expect(written.isIntact).toBe(true);
	files.remove("/run/status.json");
	expect(written.isIntact).toBe(false);
	written.forget();
	written.status(status(1));
	expect(JSON.parse(files.read("/run/status.json"))).toEqual(status(1));
	files.set("/run/status.json", "{}");
	expect(written.isIntact).toBe(false);
});

test("peers that are the same objects are not written again, and all are in the file", () => {
	const { files } = new FakePlatform();
	const written = new StatusFiles(files, "/run");
	const peers = ["a", "b"].map((name) => ({ name, level: "green", flaps: 0 }) as const);
	const said: Status = { ...status(1), peers };
	written.status(said);
	expect(JSON.parse(files.read("/run/status.json"))).toEqual(said);
	const { inode } = files.status("/run/status.json") ?? {};
	written.status({ ...status(1), peers: [...peers] });
	expect(files.status("/run/status.json")?.inode).toBe(inode);
	written.status({ ...status(1), peers: peers.slice(1) });
	expect(JSON.parse(files.read("/run/status.json")).peers).toEqual(peers.slice(1));
});

test("what an earlier run has learned of the speakers is read from its status", () => {
	const { files } = new FakePlatform();
	const peer = (name: string, rest: object) => ({ name, level: "red", flaps: 0, ...rest });
	const peers = [
		peer("a", { neighbor_address: "192.168.1.2", node: "one", speaker: "gobgp" }),
		peer("b", { neighbor_address: "192.168.1.3", node: 7, speaker: "cilium" }),
		peer("c", { node: "two" }),
	];
	files.set("/run/status.json", JSON.stringify({ ...status(0), peers: [...peers, null, "x"] }));
	expect([...earlierOpens(files, "/run")]).toEqual([
		["a", { address: "192.168.1.2", open: { hostname: "one", program: "gobgp" } }],
		["b", { address: "192.168.1.3", open: {} }],
	]);
});

test.each(["", "{", "null", "[]", '{"peers":7}'])("a status that is %j tells nothing of them", (text) => {
	const { files } = new FakePlatform();
	files.set("/run/status.json", text);
	expect([...earlierOpens(files, "/run")]).toEqual([]);
	expect([...earlierOpens(files, "/elsewhere")]).toEqual([]);
});
