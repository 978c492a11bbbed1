import { describe, expect, test } from "vitest";
import type { Hop } from "../../../src/model/packet-trace.ts";
import { peer, reading } from "../story.ts";
import { at, established, known, packet, passive, read, readAgain, seen, told, trace } from "./bench.ts";

describe("a SYN of the peer", () => {
	test.each([
		{
			what: "tproxied",
			hop: at("mihomo", "pre", "meta l4proto tcp tproxy to :7894 accept", "accept"),
			id: "hijacked",
			says: /tproxied by the rule .* of chain pre in table inet mihomo \(service mihomo\)/,
		},
		{
			what: "queued",
			hop: at("sing-box", "prematch", "tcp flags syn queue to 100", "queue"),
			id: "hijacked",
			says: /queued .* \(service sing-box\)/,
		},
		{
			what: "redirected",
			hop: at("x", "dstnat", "redirect to :7892", "accept"),
			id: "hijacked",
			says: /redirected/,
		},
		{
			what: "dropped by a policy",
			hop: { family: "ip", table: "filter", chain: "INPUT", verdict: "drop", policy: true } as Hop,
			id: "hijacked",
			says: /dropped by the policy of chain INPUT in table ip filter/,
		},
		{
			what: "rejected by fw4",
			hop: at("fw4", "handle_reject", "reject with tcp reset", "drop"),
			id: "blocked",
			says: /firewall rejects .* in chain handle_reject/,
		},
	])("that is $what", ({ hop, id, says }) => {
		const story = read(passive);
		seen(story, trace(story, packet(["syn"], true), hop));
		expect(told(story)).toMatchObject({ diagnosis: id, explanation: expect.stringMatching(says) });
		expect(told(story)?.remedy).toBeTruthy();
	});

	test("that fw4 rejects in a zone: the zone is named, and how to open it", () => {
		const story = read(passive);
		const jump = at("fw4", "reject_from_lan", "jump handle_reject", "jump");
		seen(story, trace(story, packet(["syn"], true), jump, at("fw4", "handle_reject", "reject", "drop")));
		expect(told(story)).toMatchObject({
			diagnosis: "blocked",
			explanation: expect.stringContaining("(zone lan)"),
		});
		expect(told(story)?.remedy).toContain("bgpwarden.main.zone=lan");
	});

	test("that fw4 rejects on another port than 179: the option, which opens that one, is no remedy", () => {
		const story = read(passive);
		const protocol = { name: "waukeen", disabled: false, password: false, channels: [], localPort: 1790 };
		const configuration = { bgp: [protocol], bfd: [], direct: [], kernel: [], device: true };
		story.happens({ type: "bird_configured", configuration });
		const jump = at("fw4", "reject_from_lan", "jump handle_reject", "jump");
		const syn = { ...packet(["syn"], true), destinationPort: 1790 };
		seen(story, trace(story, syn, jump, at("fw4", "handle_reject", "reject", "drop")));
		expect(told(story)?.diagnosis).toBe("blocked");
		expect(told(story)?.remedy).toMatch(/^allow TCP port 1790 from the peer/);
	});

	const input = at("custom_bgp", "filter_input", "tcp dport 179 accept", "accept");

	test("that never comes to the input hook", () => {
		const story = read(passive);
		seen(story, trace(story, packet(["syn"], true)));
		story.passes(2600);
		expect(told(story)).toMatchObject({
			diagnosis: "hijacked",
			explanation: expect.stringContaining("disappears"),
		});
	});

	test("without an answer says something only after the time of a retransmission", () => {
		const story = read(passive);
		seen(story, trace(story, packet(["syn"], true), input));
		expect(told(story)?.diagnosis).toBeUndefined();
		story.passes(2600);
		expect(told(story)?.diagnosis).toBe("no-answer");
	});

	test("without an answer says nothing of a BIRD that waits after an error", () => {
		const idle = { ...passive, state: "Idle", lastError: "Error: BFD session down" };
		const story = read(idle);
		seen(story, trace(story, packet(["syn"], true), input));
		story.passes(2600);
		story.happens(reading(idle));
		expect(told(story)?.diagnosis).not.toBe("no-answer");
	});

	test("that is sent again without an answer says so sooner", () => {
		const story = read(passive);
		seen(story, trace(story, packet(["syn"], true), input));
		story.passes(1000);
		seen(story, trace(story, packet(["syn"], true), input));
		expect(told(story)?.diagnosis).toBeUndefined();
		story.passes(400);
		expect(told(story)?.diagnosis).toBe("no-answer");
	});

	test("answered by RST: nobody listens", () => {
		const story = read(passive);
		seen(story, trace(story, packet(["syn"], true)), trace(story, packet(["rst", "ack"], false)));
		expect(told(story)?.diagnosis).toBeUndefined();
		readAgain(story, passive);
		expect(told(story)?.diagnosis).toBe("not-listening");
	});

	test("answered by RST while BIRD starts the protocol anew says nothing: the next reading tells", () => {
		const before = { ...passive, since: Date.UTC(2026, 10, 1) };
		const story = read(before);
		const restarted = story.wall + story.time;
		seen(story, trace(story, packet(["syn"], true)), trace(story, packet(["rst", "ack"], false)));
		expect(told(story)?.diagnosis).toBeUndefined();
		// It was under way already.
		story.passes(90);
		story.happens(reading(before));
		expect(told(story)?.diagnosis).toBeUndefined();
		readAgain(story, { ...passive, since: restarted });
		expect(told(story)?.diagnosis).toBeUndefined();
	});

	test.each([
		["100 ms after the protocol's start says nothing: BIRD may not have listened yet", 123, 100, "waiting"],
		["half a second after it: nobody listens", 123, 500, "not-listening"],
		["half a second after a start that is told to the second says nothing", 0, 500, "waiting"],
		["2 s after that: nobody listens", 0, 2000, "not-listening"],
	] as const)("answered by RST %s", (_, milliseconds, later, diagnosis) => {
		const story = read(passive);
		story.passes(60_000 + milliseconds - ((story.wall + story.time) % 1000));
		story.happens(reading({ ...passive, since: story.wall + story.time }));
		story.passes(later);
		const since = story.wall + story.time - later;
		seen(story, trace(story, packet(["syn"], true)), trace(story, packet(["rst", "ack"], false)));
		readAgain(story, { ...passive, since });
		expect(told(story)?.diagnosis).toBe(diagnosis);
	});

	test("answered, and the answer dropped", () => {
		const story = read(passive);
		const drop = at("strict", "out", "ct state untracked drop", "drop");
		seen(story, trace(story, packet(["syn"], true)), trace(story, packet(["syn", "ack"], false), drop));
		expect(told(story)).toMatchObject({
			diagnosis: "reply-dropped",
			explanation: expect.stringContaining("chain out"),
		});
	});

	test("answered: nothing is wrong with that", () => {
		const story = read(passive);
		seen(story, trace(story, packet(["syn"], true)), trace(story, packet(["syn", "ack"], false)));
		story.passes(5000);
		expect(told(story)?.diagnosis).toBeUndefined();
	});

	test("while BIRD takes the session for alive: it is caught all the same", () => {
		const story = read(established);
		story.passes(5000);
		seen(story, trace(story, packet(["syn"], true), at("fw4", "handle_reject", "reject", "drop")));
		expect(told(story)).toMatchObject({ state: "Established", diagnosis: "blocked" });
	});

	test("of the session that is up now says nothing about it", () => {
		const story = read(passive);
		seen(story, trace(story, packet(["syn"], true), at("x", "pre", "drop", "drop")));
		expect(told(story)?.diagnosis).toBe("hijacked");
		story.passes(100);
		story.happens(reading(established));
		expect(told(story)?.diagnosis).toBe("healthy");
	});

	test("says nothing while a handshake gets somewhere", () => {
		const story = read(passive);
		story.happens(reading(peer({ ...known, state: "OpenConfirm", bfd: "down" })));
		seen(story, trace(story, packet(["syn"], true)));
		story.passes(3000);
		expect(told(story)?.diagnosis).toBeUndefined();
	});
});
