import { describe, expect, test } from "vitest";
import type { Flow } from "../../../src/model/flow.ts";
import type { Hop, PacketTrace, TcpFlag, TracedPacket } from "../../../src/model/packet-trace.ts";
import { aboutPeers } from "../../../src/warden/diagnosis/collect-evidence.ts";
import { statusOf } from "../../../src/warden/status.ts";
import { peer, reading, Story, settings, type TestPeer, types } from "../story.ts";

const PEER = "192.168.1.2";
const ROUTER = "192.168.1.1";
const identity = { version: "1", router: "r", pid: 1 };
const known = { neighborAddress: PEER, neighborAs: 65009, localAs: 65001 };
const passive = peer({
	...known,
	state: "Passive",
	protocolState: "start",
	bfd: "down",
	bfdMode: "multihop",
});
const established = peer(known);

const accept: Hop = {
	family: "inet",
	table: "custom_bgp",
	chain: "raw_pre",
	verdict: "accept",
	policy: true,
};
const at = (table: string, chain: string, rule: string, verdict: string): Hop => ({
	family: "inet",
	table,
	chain,
	rule,
	verdict,
});

function packet(flags: readonly TcpFlag[], fromPeer: boolean, port = 40000): TracedPacket {
	return fromPeer
		? { protocol: "tcp", source: PEER, destination: ROUTER, sourcePort: port, destinationPort: 179, flags }
		: { protocol: "tcp", source: ROUTER, destination: PEER, sourcePort: 179, destinationPort: port, flags };
}

let ids = 0;
function trace(story: Story, what: TracedPacket, ...hops: Hop[]): PacketTrace {
	return { id: String(ids++), at: story.time, packet: what, hops: [accept, ...hops] };
}

/** A warden that has read these peers, its table in place. */
function read(...peers: TestPeer[]): Story {
	const story = Story.kept();
	story.happens({ type: "watch_started" }, { type: "bird_up", version: "3.1.8" }, reading(...peers));
	return story;
}

function seen(story: Story, ...traces: PacketTrace[]) {
	return story.happens({ type: "packets_traced", traces });
}

function told(story: Story) {
	const [shown] = statusOf(story.state, identity).peers;
	return shown;
}

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
		expect(told(story)?.diagnosis).toBe("not-listening");
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

describe("the kernel", () => {
	test.each([
		{ inspection: { noRoute: "Network is unreachable" }, id: "peer-unreachable" },
		{
			inspection: { route: { interface: "br-lan" }, neighbor: { interface: "br-lan", state: "FAILED" } },
			id: "peer-unreachable",
		},
		{ inspection: { route: { interface: "tailscale0", table: "52" } }, id: "route-kind" },
		{
			inspection: { route: { interface: "br-lan" }, neighbor: { interface: "br-lan", state: "REACHABLE" } },
			id: undefined,
		},
		{ inspection: {}, id: undefined },
	])("$inspection is $id", ({ inspection, id }) => {
		const story = read(passive);
		story.happens({ type: "peer_inspected", address: PEER, inspection });
		expect(told(story)?.diagnosis).toBe(id);
	});

	test("a device is strange when the peer was behind another one before, whatever its name", () => {
		const story = read(established);
		story.happens({ type: "peer_inspected", address: PEER, inspection: { route: { interface: "wg0" } } });
		story.happens(reading(passive));
		story.happens({ type: "peer_inspected", address: PEER, inspection: { route: { interface: "wg0" } } });
		expect(told(story)?.diagnosis).toBeUndefined();
		story.happens({ type: "peer_inspected", address: PEER, inspection: { route: { interface: "eth3" } } });
		expect(told(story)).toMatchObject({
			diagnosis: "route-kind",
			explanation: expect.stringContaining("eth3, not wg0"),
		});
	});

	test("the way of the latest session is the usual one", () => {
		const story = read(established);
		const way = (device: string) =>
			story.happens({ type: "peer_inspected", address: PEER, inspection: { route: { interface: device } } });
		way("wg0");
		story.happens(reading(passive));
		story.passes(5000);
		expect(types(story.happens(reading(established)))).toContain("inspect_peer");
		way("br-lan");
		story.happens(reading(passive));
		way("br-lan");
		expect(told(story)?.diagnosis).toBeUndefined();
	});

	test("a section's interface counts before all", () => {
		const story = read(passive);
		story.happens({ type: "configured", settings: { ...settings, interfaces: { waukeen: "tun7" } } });
		story.happens({ type: "peer_inspected", address: PEER, inspection: { route: { interface: "tun7" } } });
		expect(told(story)?.diagnosis).toBeUndefined();
	});

	const flow: Flow = {
		family: "ipv4",
		protocol: "tcp",
		state: "SYN_SENT",
		unreplied: true,
		assured: false,
		original: { source: PEER, destination: ROUTER, sourcePort: 40000, destinationPort: 179 },
		reply: { source: ROUTER, destination: PEER, sourcePort: 179, destinationPort: 40000 },
	};

	test("conntrack's hand in it counts when it is there twice", () => {
		const story = read(passive);
		const look = { type: "peer_inspected", address: PEER, inspection: { flows: [flow] } } as const;
		story.happens(look);
		expect(told(story)?.diagnosis).toBeUndefined();
		story.passes(2000);
		story.happens(look);
		expect(told(story)).toMatchObject({ diagnosis: "tracked" });
		expect(told(story)?.evidence?.[0]).toContain("[UNREPLIED]");
	});

	test("NAT to another port is a hijack", () => {
		const story = read(passive);
		const flows = [{ ...flow, reply: { ...flow.reply, sourcePort: 7892 } }];
		for (let round = 0; round < 2; round++)
			story.happens({ type: "peer_inspected", address: PEER, inspection: { flows } });
		expect(told(story)).toMatchObject({
			diagnosis: "hijacked",
			explanation: expect.stringContaining("port 7892"),
		});
	});
});

describe("what BIRD says", () => {
	test.each([
		["BGP Error: Bad peer AS", "rejected", "code 2, subcode 2"],
		["Received: Unacceptable hold time", "rejected", "code 2, subcode 6"],
		["Received: Administrative shutdown", "rejected", "code 6, subcode 2"],
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

	test("BIRD lost: every peer has one cause, and the router names it", () => {
		const story = read(established);
		story.happens({ type: "bird_lost", reason: "no answer in 3 s" });
		expect(told(story)?.diagnosis).toBe("bird-down");
		expect(statusOf(story.state, identity).router).toMatchObject({ diagnosis: "bird-down" });
		story.happens({ type: "bird_up" }, reading(established));
		expect(told(story)?.diagnosis).toBe("healthy");
	});

	test("a peer that is switched off has no diagnosis", () => {
		const story = read(
			peer({ ...known, state: "Down", protocolState: "down", lastError: "Received: Bad peer AS" }),
		);
		expect(told(story)?.diagnosis).toBeUndefined();
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
		for (let round = 0; round < 10; round++) {
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

	test("of a host that is there, after 130 s", () => {
		const story = silent("REACHABLE");
		expect(told(story)).toMatchObject({ diagnosis: "peer-silent" });
		expect(told(story)?.remedy).toContain("ebgpMultiHop: true");
	});

	test("of a host that may be gone says nothing", () => {
		expect(told(silent("STALE"))?.diagnosis).toBeUndefined();
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
