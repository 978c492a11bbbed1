import { describe, expect, test } from "vitest";
import type { Inspection } from "../../../src/model/inspection.ts";
import type { TcpFlag } from "../../../src/model/packet-trace.ts";
import { peer, reading, type Story, types } from "../story.ts";
import { at, known, PEER, packet, passive, ROUTER, read, readAgain, seen, told, trace } from "./bench.ts";

const input = at("custom_bgp", "filter_input", "tcp dport 179 accept", "accept");
const syn = (story: Story, port = 40_000) => seen(story, trace(story, packet(["syn"], true, port), input));
const answers = (story: Story, flags: readonly TcpFlag[], port = 40_000) =>
	seen(story, trace(story, packet(flags, false, port)));
const ends = (story: Story, flags: readonly TcpFlag[], port = 40_000) =>
	seen(story, trace(story, packet(flags, true, port)));

describe("an answer", () => {
	/** The node's own firewall drops it: the SYN is sent again after 1, 3 and 7 s, and answered each time. */
	function unheard(story: Story): void {
		for (const wait of [1000, 2000, 4000]) {
			syn(story);
			answers(story, ["syn", "ack"]);
			story.passes(wait);
		}
	}

	test("that the peer does not hear is lost, and says where to look", () => {
		const story = read(passive);
		unheard(story);
		expect(told(story)).toMatchObject({ diagnosis: "answer-lost" });
		expect(told(story)?.remedy).toContain("source port 179");
	});

	test("to one retransmission may have crossed it", () => {
		const story = read(passive);
		syn(story);
		answers(story, ["syn", "ack"]);
		story.passes(1000);
		syn(story);
		answers(story, ["syn", "ack"]);
		story.passes(1000);
		expect(told(story)?.diagnosis).toBeUndefined();
	});

	test.each<[string, (story: Story) => void]>([
		["BIRD closes", (story) => answers(story, ["fin", "ack"])],
		["BIRD resets", (story) => answers(story, ["rst", "ack"])],
		["the peer closes", (story) => ends(story, ["fin", "ack"])],
		["the peer resets", (story) => ends(story, ["rst"])],
	])("arrives where a speaker dials from one port again and again, and %s the connection", (_, close) => {
		const story = read(passive);
		for (let dial = 0; dial < 6; dial++) {
			syn(story);
			answers(story, ["syn", "ack"]);
			story.passes(100);
			close(story);
			story.passes(4900);
		}
		story.happens(reading(passive));
		expect(["waiting", undefined]).toContain(told(story)?.diagnosis);
	});

	describe("is heard, and the speaker hangs up", () => {
		const closed = { ...passive, lastError: "Socket: Connection closed" } as const;
		function hangUps(count: number, { state = "Passive", birdFirst = false, after = 5 } = {}): Story {
			const seen = { ...closed, state };
			const story = read(seen);
			for (let port = 40_000; port < 40_000 + count; port++) {
				syn(story, port);
				answers(story, ["syn", "ack"], port);
				if (birdFirst) answers(story, ["fin", "ack"], port);
				story.passes(after);
				ends(story, ["fin", "ack"], port);
				story.passes(4000);
				story.happens(reading(seen));
			}
			return story;
		}

		test("twice in a row: it refuses the session", () => {
			expect(told(hangUps(1))?.diagnosis).not.toBe("rejected");
			const { diagnosis, explanation, remedy } = told(hangUps(2)) ?? {};
			expect(diagnosis).toBe("rejected");
			expect(explanation).toMatch(/closes the connection without saying why$/);
			expect(remedy).toMatch(/^read .*log/);
		});

		test("at the end of its patience: the handshake was stuck", () => {
			expect(told(hangUps(3, { after: 9900 }))?.diagnosis).not.toBe("rejected");
		});

		test("after BIRD has, or while BIRD waits and takes nobody: it does not", () => {
			expect(told(hangUps(3, { birdFirst: true }))?.diagnosis).not.toBe("rejected");
			expect(told(hangUps(3, { state: "Idle" }))?.diagnosis).not.toBe("rejected");
		});

		test("before a session that was up: it does not any more", () => {
			const story = hangUps(2);
			story.happens(reading(peer({ ...known })));
			story.passes(1000);
			story.happens(reading(closed));
			expect(told(story)?.diagnosis).not.toBe("rejected");
		});
	});

	test("to another port is another dial's", () => {
		const story = read(passive);
		syn(story, 40_001);
		answers(story, ["syn", "ack"], 40_002);
		story.passes(3000);
		expect(told(story)).toMatchObject({ diagnosis: "no-answer" });
		syn(story, 40_003);
		answers(story, ["syn", "ack"], 40_003);
		story.passes(100);
		story.happens(reading(peer({ ...known, state: "Established" })));
		expect(told(story)?.diagnosis).toBe("healthy");
	});

	test("by RST that comes long after the SYN says nothing: the kernel's comes at once, and traces may be lost", () => {
		const story = read(passive);
		syn(story);
		story.passes(1500);
		answers(story, ["rst", "ack"]);
		story.passes(3000);
		expect(told(story)?.diagnosis).toBeUndefined();
	});

	test("by RST after a SYN-ACK is BIRD's, which listens", () => {
		const story = read(passive);
		syn(story);
		answers(story, ["syn", "ack"]);
		answers(story, ["rst", "ack"]);
		story.passes(5000);
		expect(told(story)?.diagnosis).toBeUndefined();
	});

	test("by RST from before BIRD ran says nothing about now: nothing listens while BIRD restarts", () => {
		const story = read(passive);
		const since = story.wall + story.time;
		syn(story);
		answers(story, ["rst", "ack"]);
		readAgain(story, passive);
		expect(told(story)?.diagnosis).toBe("not-listening");
		const later = read(passive);
		syn(later);
		answers(later, ["rst", "ack"]);
		later.happens(reading({ ...passive, since: since + 700 }));
		later.passes(20_000);
		later.happens(reading({ ...passive, since: since + 700 }));
		expect(told(later)?.diagnosis).toBe("waiting");
		syn(later, 40_001);
		answers(later, ["rst", "ack"], 40_001);
		readAgain(later, { ...passive, since: since + 700 });
		expect(told(later)?.diagnosis).toBe("not-listening");
	});

	test("that was not seen did come, where the connection is closed after it", () => {
		const story = read(passive);
		syn(story);
		ends(story, ["fin", "ack"]);
		story.passes(5000);
		expect(told(story)?.diagnosis).toBeUndefined();
	});

	test("on another port that is in use counts like one on 179", () => {
		const story = read(passive);
		const bgp = { name: "waukeen", disabled: false, password: false, channels: [], localPort: 1790 };
		story.happens({
			type: "bird_configured",
			configuration: { bgp: [bgp], bfd: [], direct: [], kernel: [], device: true },
		});
		const dial = { ...packet(["syn"], true), destinationPort: 1790 };
		seen(story, trace(story, dial, at("x", "pre", "redirect to :7892", "accept")));
		expect(told(story)).toMatchObject({ diagnosis: "hijacked", remedy: expect.stringContaining("1790") });
		const other = read(passive);
		seen(other, trace(other, { ...dial, destinationPort: 8080 }, at("x", "pre", "drop", "drop")));
		expect(told(other)?.diagnosis).toBeUndefined();
	});
});

describe("a host of the peer's network that BIRD does not know", () => {
	const inspection: Inspection = {
		route: { interface: "br-lan", source: ROUTER },
		network: { prefix: "192.168.1.0/24", interface: "br-lan" },
	};
	function down(): Story {
		const story = read(passive);
		story.happens({ type: "peer_inspected", address: PEER, inspection });
		return story;
	}
	const stranger = (story: Story, host: string, port: number) =>
		seen(story, trace(story, { ...packet(["syn"], true, port), source: host }, input));

	test("and that dials again and again is named", () => {
		const story = down();
		stranger(story, "192.168.1.77", 1);
		expect(told(story)?.diagnosis).toBeUndefined();
		// A retransmission is no other dial.
		stranger(story, "192.168.1.77", 1);
		expect(told(story)?.diagnosis).toBeUndefined();
		stranger(story, "192.168.1.77", 2);
		expect(told(story)).toMatchObject({
			diagnosis: "unknown-address",
			remedy: expect.stringContaining("neighbor 192.168.1.77"),
		});
	});

	test("is another host where the peer dials itself, before or after it", () => {
		const story = down();
		story.passes(1000);
		syn(story);
		answers(story, ["syn", "ack"]);
		ends(story, ["fin", "ack"]);
		for (const port of [1, 2, 3]) stranger(story, "192.168.1.77", port);
		expect(told(story)?.diagnosis).not.toBe("unknown-address");
	});

	test("is another host where the peer's BFD is up, and keeps no remedy from the peer", () => {
		const story = read({ ...passive, bfd: "up" });
		story.happens({ type: "peer_inspected", address: PEER, inspection });
		for (const port of [1, 2, 3]) stranger(story, "192.168.1.77", port);
		expect(told(story)?.diagnosis).not.toBe("unknown-address");
	});

	test("is a guess: the peer is restarted after a repair all the same", () => {
		const story = down();
		for (const port of [1, 2, 3]) stranger(story, "192.168.1.77", port);
		expect(told(story)?.diagnosis).toBe("unknown-address");
		const deleted = { type: "table_touched", touch: "deleted", actor: { process: "nft", pid: 7 } } as const;
		story.happens(deleted, { type: "own_transaction" }, { type: "installed" });
		const asked = [...Array(30)].flatMap(() => [...story.passes(1000), ...story.happens(reading(passive))]);
		expect(types(asked)).toContain("restart_peer");
	});

	test("is nobody's where the peer is up, or lives elsewhere, or is a peer too", () => {
		const up = read(peer(known));
		up.happens({ type: "peer_inspected", address: PEER, inspection });
		const elsewhere = down();
		const other = peer({ name: "zeta", neighborAddress: "192.168.1.77", state: "Established" });
		const peers = down();
		peers.happens(reading(passive, other));
		for (const port of [1, 2, 3]) {
			stranger(up, "192.168.1.77", port);
			stranger(elsewhere, "192.168.2.77", port);
			stranger(peers, "192.168.1.77", port);
		}
		expect(told(up)?.diagnosis).toBe("healthy");
		expect(told(elsewhere)?.diagnosis).toBeUndefined();
		expect(told(peers)?.diagnosis).toBeUndefined();
	});

	test("is one of many: a scan does not take the place of the one that dials, nor does it fill the memory", () => {
		const story = down();
		stranger(story, "192.168.1.77", 1);
		for (let host = 0; host < 3000; host++) stranger(story, `192.168.1.${100 + (host % 100)}`, host);
		stranger(story, "192.168.1.77", 2);
		expect(told(story)).toMatchObject({ diagnosis: "unknown-address" });
		expect(told(story)?.explanation).toContain("192.168.1.77");
		expect(JSON.stringify(story.state).length).toBeLessThan(20_000);
	});
});

describe("BIRD's own address", () => {
	const bgp = {
		name: "waukeen",
		disabled: false,
		password: false,
		channels: [],
		localAddress: "192.168.1.9",
	};
	const configuration = { bgp: [bgp], bfd: [], direct: [], kernel: [], device: true };

	test.each([
		[false, "local-address-missing"],
		[true, undefined],
		[undefined, undefined],
	])("that is there: %s, is %s", (hasLocalAddress, diagnosis) => {
		const story = read(passive);
		story.happens({ type: "bird_configured", configuration });
		const inspection = hasLocalAddress === undefined ? {} : { hasLocalAddress };
		story.happens({ type: "peer_inspected", address: PEER, inspection });
		expect(told(story)?.diagnosis).toBe(diagnosis);
	});
});
