import { describe, expect, test } from "vitest";
import { tooOld } from "../../../src/model/bird.ts";
import { aboutPeers } from "../../../src/warden/diagnosis/record-packets.ts";
import { statusOf } from "../../../src/warden/status.ts";
import { peer, reading, type Story, types } from "../story.ts";
import { at, established, identity, known, PEER, packet, passive, read, seen, told, trace } from "./bench.ts";

describe("what BIRD says", () => {
	test.each([
		["BGP Error: Bad peer AS", "rejected", "code 2, subcode 2"],
		["Received: Unacceptable hold time", "rejected", "code 2, subcode 6"],
		["Received: Administrative shutdown", "peer-shutdown", "shut down on the other side"],
		["Received: Maximum number of prefixes reached", "route-limit", "fewer routes"],
		["Automatic shutdown: Route limit exceeded", "route-limit", "more routes"],
		["Received: Peer de-configured", "rejected", "code 6, subcode 3"],
		["Received: Unknown error 2.11", "rejected", "code 2, subcode 11"],
		["Received: Administrative reset", undefined, ""],
		["BGP Error: Hold timer expired", undefined, ""],
		["Socket: Connection closed", undefined, ""],
		["Error: BFD session down", undefined, ""],
	])("%s", (lastError, id, says) => {
		const story = read({ ...passive, lastError });
		expect(told(story)?.diagnosis).toBe(id);
		expect(told(story)?.explanation ?? "").toContain(says);
	});

	test("Peer de-configured, after a session that was up, is a pod that ends; and a refusal once none has come back", () => {
		const story = read(established);
		story.passes(60_000);
		const ended = { ...passive, lastError: "Received: Peer de-configured" };
		story.happens(reading(ended));
		expect(told(story)?.diagnosis).not.toBe("rejected");
		story.passes(20_000);
		story.happens(reading(ended));
		expect(told(story)?.diagnosis).toBe("waiting");
		story.passes(120_000);
		story.happens(reading(ended));
		expect(told(story)?.diagnosis).toBe("rejected");
	});

	test("what a peer said before says nothing once a rule that caught its dial is gone", () => {
		const story = read(established);
		story.passes(60_000);
		const ended = { ...passive, bfd: "up", lastError: "Received: Connection rejected" } as const;
		story.happens(reading(ended));
		story.passes(20_000);
		seen(story, trace(story, packet(["syn"], true), at("x", "pre", "redirect to :7892", "drop")));
		story.happens(reading(ended));
		story.happens({ type: "ruleset_changed", tables: ["inet x"], actor: { process: "nft", pid: 7 } });
		const asked = [...Array(6)].flatMap(() => [...story.happens(reading(ended)), ...story.passes(1000)]);
		expect(types(asked).filter((type) => type === "restart_peer")).toHaveLength(1);
	});

	const few = { limit: 3, action: "restart" } as const;
	test.each([
		[{ importLimit: few }, "bird.conf: ipv4: import limit 3"],
		[{ receiveLimit: few }, "bird.conf: ipv4: receive limit 3"],
		[{ exportLimit: few }, "bird.conf: ipv4: export limit 3"],
		[{}, "BIRD: Passive"],
	])("BIRD says the same of each of its limits, and which there are is shown: %o", (limits, evidence) => {
		const bgp = {
			name: "waukeen",
			disabled: false,
			password: false,
			channels: [{ family: "ipv4", ...limits }],
		};
		const story = read(passive);
		story.happens({
			type: "bird_configured",
			configuration: { bgp: [bgp], bfd: [], direct: [], kernel: [], device: true },
		});
		story.happens(reading({ ...passive, lastError: "Automatic shutdown: Route limit exceeded" }));
		expect(told(story)?.explanation).toContain("has more routes than bird.conf allows");
		expect(told(story)?.evidence?.[0]).toContain(evidence);
	});

	test("BIRD lost: every peer has one cause, and the router names it", () => {
		const story = read(established);
		story.happens({ type: "bird_lost", reason: "no answer in 3 s" });
		expect(told(story)?.diagnosis).toBe("bird-down");
		expect(statusOf(story.state, identity).router).toMatchObject({ diagnosis: "bird-down" });
		story.happens({ type: "bird_up" }, reading(established));
		expect(told(story)?.diagnosis).toBe("healthy");
	});

	test("a BIRD that is too old is to be replaced, not started", () => {
		const story = read(established);
		const reason = tooOld("1.6.8") ?? "";
		story.happens({ type: "bird_lost", reason });
		expect(told(story)).toMatchObject({ diagnosis: "bird-down", explanation: reason });
		expect(told(story)?.remedy).toMatch(/^install BIRD 2 or 3 in its place/);
	});

	test.each([
		[undefined, "disabled", "yellow"],
		["Received: Bad peer AS", "disabled-by-bird", "red"],
		["Automatic shutdown: Route limit exceeded", "route-limit", "red"],
		["Error: No listening socket", "not-listening", "red"],
	])("a peer that BIRD does not run after %s is %s", (lastError, diagnosis, level) => {
		const down = { ...known, state: "Down", protocolState: "down" };
		const story = read(peer(lastError === undefined ? down : { ...down, lastError }));
		expect(told(story)).toMatchObject({ diagnosis, level });
	});

	test("a peer on its way through a restart is not called disabled", () => {
		const story = read(established);
		story.happens(reading(peer({ ...known, state: "Down", protocolState: "down" })));
		expect(told(story)?.diagnosis).toBeUndefined();
		story.passes(4000);
		story.happens(reading(peer({ ...known, state: "Down", protocolState: "down" })));
		expect(told(story)).toMatchObject({ diagnosis: "disabled", level: "yellow" });
	});
});

describe("BFD", () => {
	/** Two readings of the counters. */
	function counts(story: Story, singleHopBfd: number, multihopBfd: number): void {
		const before = { bgp: 0, singleHopBfd: 0, multihopBfd: 0 };
		story.happens({ type: "counters_read", counters: before });
		story.passes(2000);
		story.happens({ type: "counters_read", counters: { bgp: 0, singleHopBfd, multihopBfd } });
	}

	test.each([
		{ bfdMode: "direct", single: 0, multi: 9, id: "bfd-mode-mismatch" },
		{ bfdMode: "multihop", single: 9, multi: 0, id: "bfd-mode-mismatch" },
		{ bfdMode: "direct", single: 9, multi: 0, id: "bfd-down-session-up" },
		{ bfdMode: "multihop", single: 0, multi: 0, id: "bfd-down-session-up" },
	] as const)("$bfdMode, and $single/$multi packets arrive: $id", ({ bfdMode, single, multi, id }) => {
		const story = read(peer({ ...known, bfd: "down", bfdMode }));
		story.passes(4000);
		story.happens(reading(peer({ ...known, bfd: "down", bfdMode })));
		counts(story, single, multi);
		expect(told(story)?.diagnosis).toBe(id);
	});

	test("packets of the other kind may be another peer's", () => {
		const other = peer({ name: "zeta", neighborAddress: "192.168.1.3", bfd: "up", bfdMode: "multihop" });
		const down = peer({ ...known, bfd: "down", bfdMode: "direct" });
		const story = read(down, other);
		story.passes(4000);
		story.happens(reading(down, other));
		counts(story, 0, 9);
		expect(told(story)?.diagnosis).toBe("bfd-down-session-up");
	});

	test("may be down for a moment while the session comes up, and may be absent", () => {
		expect(told(read(peer({ ...known, bfd: "down" })))?.diagnosis).toBeUndefined();
		expect(told(read(peer({ ...known, bfd: "none" })))?.diagnosis).toBe("healthy");
	});
});

describe("silence", () => {
	function silent(neighbor: string): Story {
		const story = read(passive);
		for (let round = 0; round < 20; round++) {
			story.happens({
				type: "peer_inspected",
				address: PEER,
				inspection: { route: { interface: "br-lan" }, neighbor: { interface: "br-lan", state: neighbor } },
			});
			story.passes(14_000);
			story.happens(reading(passive));
		}
		return story;
	}

	test("of a host that is there, after 250 s", () => {
		const story = silent("REACHABLE");
		expect(told(story)).toMatchObject({ diagnosis: "peer-silent" });
		expect(told(story)?.remedy).toContain("ebgpMultiHop: true");
	});

	test("of a host that may be gone says what was looked at", () => {
		const shown = told(silent("STALE"));
		expect(shown?.diagnosis).toBe("waiting");
		expect(shown?.evidence?.join("; ")).toMatch(/no SYN since .*; looked at and fine: route/);
	});
});

describe("flapping", () => {
	test("is told with its period and what precedes it, and ends when a loss fails to come", () => {
		const story = read(established);
		const down = { ...passive, lastError: "BGP Error: Hold timer expired" };
		for (let round = 0; round < 4; round++) {
			story.passes(20_000);
			story.happens(reading(down), reading(established));
		}
		expect(told(story)).toMatchObject({
			diagnosis: "flapping",
			explanation: expect.stringMatching(/4 times, about every 20 s.*Hold timer/),
		});
		story.passes(41_000);
		expect(told(story)?.diagnosis).toBe("healthy");
	});
});

describe("what is told", () => {
	test("each change of a diagnosis is one event and one line, and health at the start is none", () => {
		const story = read(established);
		expect(types(story.happens(reading(established)))).not.toContain("diagnosis_changed");
		const caught = () => seen(story, trace(story, packet(["syn"], true), at("x", "pre", "drop", "drop")));
		story.passes(1000);
		expect(types(caught())).toContain("diagnosis_changed");
		expect(types(caught())).not.toContain("diagnosis_changed");
	});

	test("what is told stays the same as long as nothing happens, or it would be published at each look", () => {
		const story = read(passive);
		seen(story, trace(story, packet(["syn"], true), at("x", "pre", "drop", "drop")));
		story.happens(reading(passive));
		const first = JSON.stringify(told(story));
		for (let minute = 0; minute < 2; minute++) {
			story.passes(45_000);
			story.happens(reading(passive));
			const { tried: _, ...now } = told(story) ?? {};
			const { tried: __, ...before } = JSON.parse(first);
			expect(now).toEqual(before);
		}
	});

	test("the router shows the gravest of its peers", () => {
		const other = peer({
			name: "zeta",
			neighborAddress: "192.168.1.3",
			state: "Passive",
			lastError: "BGP Error: Bad peer AS",
		});
		const story = read(passive, other);
		expect(statusOf(story.state, identity).router.diagnosis).toBe("rejected");
		seen(story, trace(story, packet(["syn"], true), at("x", "pre", "drop", "drop")));
		expect(statusOf(story.state, identity).router.diagnosis).toBe("hijacked");
	});

	test("evidence about a peer that BIRD no longer has is forgotten", () => {
		const story = read(passive);
		seen(story, trace(story, packet(["syn"], true), at("x", "pre", "drop", "drop")));
		expect(told(story)?.diagnosis).toBe("hijacked");
		story.happens(reading());
		story.happens(reading(passive));
		expect(told(story)?.diagnosis).toBeUndefined();
	});

	test("packets of strangers are nobody's evidence", () => {
		const story = read(passive);
		const stranger = { ...packet(["syn"], true), source: "203.0.113.9" };
		expect(
			aboutPeers(story.state, [trace(story, stranger), trace(story, packet(["syn"], true))]),
		).toHaveLength(1);
		seen(story, trace(story, stranger, at("x", "pre", "drop", "drop")));
		expect(told(story)?.diagnosis).toBeUndefined();
	});
});

test("nothing is asked while all is well", () => {
	const story = read(established);
	story.happens({ type: "peer_inspected", address: PEER, inspection: { route: { interface: "br-lan" } } });
	const asked = new Set<string>();
	for (let minute = 0; minute < 10; minute++)
		for (const type of types([...story.passes(60_000), ...story.happens(reading(established))]))
			asked.add(type);
	expect([...asked]).toEqual(["read_bird"]);
});
