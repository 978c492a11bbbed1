import { describe, expect, test } from "vitest";
import type { BirdConfiguration } from "../../src/model/bird-configuration.ts";
import type { Inspection } from "../../src/model/inspection.ts";
import type { Obstacle } from "../../src/model/obstacle.ts";
import { isNote } from "../../src/model/peer-level.ts";
import { parseLastError } from "../../src/system/bird/last-error.ts";
import { isCurableError } from "../../src/warden/peers/curable-error.ts";
import { Random } from "../random.ts";
import { peer, reading, Story, type TestPeer, types } from "./story.ts";

/** Sequences of events, and events in each. */
const SEQUENCES = 24;
const EVENTS = 120;

const NAMES = ["waukeen", "constructor", "__proto__", "dynbgp1", "dynbgp2", "static", "k8s", "v6", "wide"];
const RANGES: Readonly<Record<string, string>> = {
	k8s: "192.168.1.0/24",
	v6: "fd00::/64",
	wide: "10.0.0.0/8",
};
const STATES = ["Established", "Passive", "Active", "Connect", "OpenSent", "OpenConfirm", "Idle", "Down"];
const ERRORS = [
	"",
	"Error: BFD session down",
	"Error: No listening socket",
	"Error: Authentication failed",
	"Automatic shutdown: Route limit exceeded",
	"Socket: Connection reset by peer",
	"Received: Administrative reset",
	"Received: Administrative shutdown",
	"Received: Maximum number of prefixes reached",
	"Received: Finite state machine error",
	"BGP Error: Hold timer expired",
	"BGP Error: Bad peer AS",
	"BGP Error: Unknown error 77.7",
];
const HOPS = ["drop", "accept", "tproxy to :7894 accept", "queue to 100"];
const TABLES = ["inet fw4", "inet x", "ip nat"];

const configuration: BirdConfiguration = {
	bgp: ["waukeen", "constructor", "__proto__", "static", "k8s", "v6", "wide"].map((name) => ({
		name,
		disabled: false,
		password: false,
		channels: [],
		...(name === "static" ? { localAddress: "192.168.1.9", localPort: 1790 } : {}),
	})),
	bfd: [],
	direct: [],
	kernel: [],
	device: true,
};

function randomPeer(random: Random, name: string): TestPeer {
	const range = Object.hasOwn(RANGES, name) ? RANGES[name] : undefined;
	const state = random.pick(range === undefined ? STATES : ["Passive", "Passive", "Down"]);
	const error = random.pick(ERRORS);
	const bfdMode = random.pick(["direct", "multihop", ""] as const);
	return {
		name,
		protocolState: state === "Established" ? "up" : state === "Down" ? "down" : "start",
		...(random.below(30) === 0 ? {} : { state }),
		...(random.below(9) === 0
			? {}
			: { bfd: random.pick(["up", "down", "init", "admin_down", "none"] as const) }),
		...(bfdMode === "" ? {} : { bfdMode }),
		...(range === undefined
			? { neighborAddress: `192.168.1.${2 + NAMES.indexOf(name)}` }
			: { neighborRange: range }),
		...(error === "" ? {} : { lastError: error }),
		...(random.below(3) === 0 ? { since: 1_795_000_000_000 + random.below(1_000_000_000) } : {}),
	};
}

const address = (random: Random) =>
	random.below(3) === 0 ? `10.${random.below(9)}.${random.below(255)}.7` : `192.168.1.${random.below(40)}`;

function randomInspection(random: Random): Inspection {
	const maybe = <Value>(value: Value) => (random.below(2) === 0 ? {} : value);
	const device = random.pick(["br-lan", "wg0"]);
	return {
		...maybe({ route: { interface: device, ...maybe({ gateway: "192.168.1.3" }) } }),
		...(random.below(9) === 0 ? { noRoute: "Network is unreachable" } : {}),
		...maybe({
			neighbor: random.pick([
				"none",
				{ interface: device, state: "REACHABLE" },
				{ interface: device, state: "FAILED" },
			] as const),
		}),
		...maybe({ network: random.pick(["none", { prefix: "192.168.1.0/24", interface: "br-lan" }] as const) }),
		...maybe({ hasLocalAddress: random.below(2) === 0 }),
		...maybe({
			listener: random.pick(["none", { program: "nginx", pid: 7 }, { program: "bird" }, {}] as const),
		}),
		...maybe({ flows: [] }),
	};
}

/** Something happens that is no reading of BIRD. */
function somethingElse(story: Story, random: Random) {
	const table = random.pick(TABLES);
	switch (random.below(9)) {
		case 0:
			return story.happens({
				type: "peer_inspected",
				address: address(random),
				inspection: randomInspection(random),
			});
		case 1: {
			const count = () => random.below(4) * 5;
			const sent = random.below(2) === 0 ? {} : { sentSingleHopBfd: count(), sentMultihopBfd: count() };
			const counters = { bgp: 0, singleHopBfd: count(), multihopBfd: count(), ...sent };
			return story.happens({ type: "counters_read", counters: random.below(5) === 0 ? undefined : counters });
		}
		case 2:
			return story.happens({ type: "ruleset_changed", tables: [table], actor: { process: "x", pid: 1 } });
		case 3: {
			const obstacle: Obstacle = {
				...{ id: "bgp-caught", effect: "tproxy", certain: true, packet: "the peer's SYN to port 179" },
				...{ place: `chain pre of table ${table}`, table, hook: "prerouting", evidence: [] },
			} as const;
			const found = NAMES.map((name): [string, Obstacle[]] => [
				name,
				random.below(2) === 0 ? [obstacle] : [],
			]);
			return story.happens({
				type: "ruleset_walked",
				obstacles: random.below(4) === 0 ? undefined : new Map(found),
			});
		}
		case 4:
			return story.happens({
				type: "bird_configured",
				configuration: random.below(3) === 0 ? undefined : configuration,
			});
		case 5:
			return story.happens(
				random.pick([
					{ type: "bird_lost", reason: "no answer" },
					{ type: "bird_up", version: "3.1.8" },
					{ type: "watch_ended", reason: "killed" },
					{ type: "watch_started" },
					{ type: "flushed", deleted: 1, left: 0 },
					{ type: "table_touched", touch: "deleted", actor: { process: "nft", pid: 1 } },
					{ type: "own_transaction" },
					{ type: "installed" },
					{ type: "listed", text: "whole" },
				] as const),
			);
		default: {
			const [family = "", name = ""] = table.split(" ");
			const flags = random.pick([["syn"], ["syn"], ["syn", "ack"], ["rst"], ["fin", "ack"]] as const);
			const outward = flags.length > 1 || random.below(4) === 0;
			const far = address(random);
			const port = 40_000 + random.below(4);
			const rule = random.pick(HOPS);
			const ends = outward
				? { source: "192.168.1.1", destination: far, sourcePort: 179, destinationPort: port }
				: { source: far, destination: "192.168.1.1", sourcePort: port, destinationPort: 179 };
			const hop = { family, table: name, chain: "pre", rule, verdict: rule === "drop" ? "drop" : "accept" };
			const packet = { protocol: "tcp", flags, ...ends } as const;
			return story.happens({
				type: "packets_traced",
				traces: [{ id: "1", at: story.time, packet, hops: [hop] }],
			});
		}
	}
}

/** Characters of a state as JSON, with all that its maps hold. */
const sizeOf = (state: unknown) =>
	JSON.stringify(state, (_, value) => (value instanceof Map ? [...value] : value)).length;

describe("whatever happens", () => {
	test("no peer that is up, no range and no error that a restart cannot cure is restarted; the state stays small", () => {
		const random = new Random();
		for (let sequence = 0; sequence < SEQUENCES; sequence++) {
			const story = Story.kept({ scope: random.pick(["any", "peers"]) });
			let peers: readonly TestPeer[] = [];
			story.happens({ type: "bird_up", version: "3.1.8" });
			for (let event = 0; event < EVENTS; event++) {
				const read = random.below(2) === 0;
				if (read) {
					const same = random.below(3) > 0;
					const names = NAMES.filter(() => random.below(5) > 0);
					peers = same && peers.length > 0 ? peers : names.map((name) => randomPeer(random, name));
				}
				const actions = [
					...(read ? story.happens(reading(...peers)) : somethingElse(story, random)),
					...story.passes(random.pick([0, 100, 1000, 5000, 20_000, 120_000])),
				];
				for (const action of actions) {
					if (action.type !== "restart_peer") continue;
					const found = peers.find(({ name }) => name === action.peer);
					const error = found?.lastError === undefined ? undefined : parseLastError(found.lastError);
					expect(found, "only peers that BIRD has").toBeDefined();
					expect(found?.state).not.toBe("Established");
					if (action.verb === "enable") {
						expect(found).toMatchObject({ protocolState: "down", lastError: "Error: No listening socket" });
						continue;
					}
					expect(found?.neighborRange, "no range").toBeUndefined();
					expect(found?.state).not.toBe("Down");
					if (error?.text.includes("limit") || error?.text.includes("prefixes")) expect.fail(error.text);
					if (found?.state === "Idle" && error) expect(isCurableError(error), error.text).toBe(true);
				}
				JSON.stringify(story.status);
			}
			expect(sizeOf(story.state), `sequence ${sequence}`).toBeLessThan(120_000);
		}
	});

	test("a peer that is down, whatever BIRD tries meanwhile, has a diagnosis within 30 s, and is not green", () => {
		const random = new Random();
		for (let sequence = 0; sequence < SEQUENCES; sequence++) {
			const story = Story.kept();
			const down = NAMES.map((name) => ({
				...randomPeer(random, name),
				state: "Passive",
				protocolState: "start",
			}));
			story.happens({ type: "bird_up" }, { type: "bird_configured", configuration }, reading(...down));
			for (let second = 0; second < 30; second++) {
				const tried = down.map((each) =>
					each.neighborRange === undefined && random.below(2) === 0
						? { ...each, state: random.pick(["Active", "Connect", "OpenSent", "Idle", "Passive"]) }
						: each,
				);
				if (random.below(2) === 0) somethingButBird(story, random);
				story.passes(1000);
				story.happens(reading(...tried));
			}
			for (const { name, diagnosis, level } of story.status.peers) {
				expect(diagnosis, `${name} in sequence ${sequence}`).toBeDefined();
				expect(isNote(diagnosis) || level === "red", `${name}: ${diagnosis} is ${level}`).toBe(true);
			}
		}
	});

	test("a status that is asked for again while nothing happens is the same", () => {
		const random = new Random();
		for (let sequence = 0; sequence < SEQUENCES / 4; sequence++) {
			const story = Story.kept({ remediate: false });
			const peers = NAMES.map((name) => randomPeer(random, name));
			story.happens({ type: "bird_up" }, reading(...peers));
			for (let event = 0; event < 20; event++) somethingButBird(story, random);
			for (let poll = 0; poll < 60; poll++) {
				story.passes(15_000);
				story.happens(reading(...peers));
			}
			const before = JSON.stringify(story.status);
			for (let poll = 0; poll < 20; poll++) {
				expect(types(story.passes(15_000))).not.toContain("diagnosis_changed");
				expect(types(story.happens(reading(...peers)))).not.toContain("diagnosis_changed");
				expect(JSON.stringify(story.status)).toBe(before);
			}
		}
	});
});

/** BIRD stays there. */
function somethingButBird(story: Story, random: Random): void {
	somethingElse(story, random);
	story.happens({ type: "bird_up" }, { type: "bird_configured", configuration });
}

test("a peer of a name that every object has is a peer like any other", () => {
	const story = Story.kept();
	story.happens({ type: "bird_up" }, reading(peer({ name: "constructor" })));
	const asked = story.happens({ type: "command", command: { verb: "restart", peer: "toString", id: "1" } });
	expect(asked).toContainEqual(expect.objectContaining({ type: "reply", ok: false }));
	expect(story.status.peers.map(({ name }) => name)).toEqual(["constructor"]);
});
