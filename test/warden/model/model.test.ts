import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { peer, reading, Story, type TestPeer } from "../story.ts";
import { foreigner, World } from "./world.ts";

/** The same sequences each time; `SEED=` another one, `RUNS=` more of them. */
const PARAMETERS = {
	seed: Number(process.env.SEED ?? 20_261_129),
	numRuns: Number(process.env.RUNS ?? 60),
} as const;

/** Something that is done to the router. */
type Deed = (world: World) => void;

const NAMES = ["waukeen", "constructor", "__proto__", "toString", "a.b"];
const STATES = ["Established", "Passive", "Active", "OpenSent", "Idle", "Down"] as const;

const peers = fc.array(
	fc.record({
		name: fc.constantFrom(...NAMES),
		state: fc.constantFrom(...STATES),
		bfd: fc.constantFrom("up", "down", "none"),
	}),
	{ maxLength: 5 },
);

function peersOf(list: readonly Pick<TestPeer, "name" | "state" | "bfd">[]): TestPeer[] {
	const byName = new Map(list.map((each) => [each.name, each]));
	return [...byName.values()].map(({ name, state = "Idle", bfd }, index) =>
		peer({
			name,
			state,
			neighborAddress: `192.168.1.${index + 2}`,
			protocolState: state === "Established" ? "up" : state === "Down" ? "down" : "start",
			...(bfd === undefined ? {} : { bfd }),
		}),
	);
}

const named = (name: string, deed: Deed): [string, Deed] => [name, deed];

const deeds = fc.array(
	fc.oneof(
		fc.constantFrom(
			named("delete", (world) => world.touch("deleted")),
			named("change", (world) => world.touch("changed")),
			named("kill owner", (world) => world.killOwner()),
			named("kill monitor", (world) => world.killMonitor()),
			named("lose messages", (world) => world.loseMessages()),
			named("break nft", (world) => {
				world.nftWorks = false;
			}),
			named("mend nft", (world) => {
				world.nftWorks = true;
			}),
			named("lose BIRD", (world) => world.setBird(false)),
			named("find BIRD", (world) => world.setBird(true)),
			named("ensure", (world) => world.command("ensure")),
			named("flush", (world) => world.command("flush")),
			named("release", (world) => world.command("release")),
			named("service", (world) => world.send({ type: "service", service: "firewall", change: "start" })),
			named("rules", (world) =>
				world.send({ type: "ruleset_changed", tables: ["inet fw4"], actor: foreigner, firewall: "there" }),
			),
			named("a year ahead", (world) => world.setClock(31_536_000_000)),
			named("a year back", (world) => world.setClock(-31_536_000_000)),
		),
		peers.map((list) =>
			named(`peers ${list.map(({ name, state }) => `${name} ${state}`).join()}`, (world) => {
				world.peers = peersOf(list);
				world.send({ type: "session_sign" });
			}),
		),
		fc
			.constantFrom(0, 1, 7, 60, 400, 1500, 5000, 30_000, 300_000)
			.map((time) => named(`${time} ms`, (world) => world.passes(time))),
	),
	{ maxLength: 50 },
);

/** Everything that was broken works again, and a while passes. */
function mended(world: World): void {
	world.nftWorks = true;
	world.setBird(true);
	world.passes(60_000);
}

describe.each([true, false])("whatever is done to a router (a table can have an owner: %s)", (canOwn) => {
	test("the table is there in the end, and the status says so", () => {
		fc.assert(
			fc.property(deeds, (list) => {
				const world = new World(canOwn);
				for (const [, deed] of list) deed(world);
				mended(world);
				if (world.released) return;
				expect(world.table).toBe("ours");
				expect(world.status.router.protection).toBe(world.owned ? "owned" : "installed");
				expect(world.owned).toBe(canOwn);
				expect(world.status.router.problem_kind).not.toBe("install");
				expect(world.status.router.problem_kind).not.toBe("internal");
			}),
			PARAMETERS,
		);
	});

	test("a table that is wiped while nft works is back within a second, unless somebody fights for it", () => {
		fc.assert(
			fc.property(deeds, (list) => {
				const world = new World(canOwn);
				for (const [, deed] of list) deed(world);
				mended(world);
				if (world.released || canOwn) return;
				world.touch("deleted");
				world.passes(1000);
				expect(world.table).toBe("ours");
			}),
			PARAMETERS,
		);
	});

	test("actions are bounded in each second and minute", () => {
		fc.assert(
			fc.property(deeds, (list) => {
				const world = new World(canOwn);
				for (const [, deed] of list) deed(world);
				mended(world);
				const most = (type: string, milliseconds: number) => {
					const times = world.actions.filter(({ action }) => action.type === type).map(({ at }) => at);
					return times.reduce(
						(most, at, index) =>
							Math.max(most, times.slice(index).filter((other) => other - at < milliseconds).length),
						0,
					);
				};
				// Each deed may ask for one at once; of itself the warden asks for no more than this.
				expect(most("install", 1000), "installs").toBeLessThanOrEqual(25 + list.length);
				expect(most("list", 1000), "listings").toBeLessThanOrEqual(30 + list.length);
				expect(most("read_bird", 1000), "readings").toBeLessThanOrEqual(20 + list.length);
				for (const name of NAMES) {
					const restarts = world.actions.filter(
						({ action }) => action.type === "restart_peer" && action.peer === name,
					);
					for (const [index, { at }] of restarts.entries())
						expect(
							restarts.slice(index).filter((other) => other.at - at < 60_000).length,
							`restarts of ${name} in a minute`,
						).toBeLessThanOrEqual(12);
				}
			}),
			PARAMETERS,
		);
	});
});

test("a peer that is up as far as BIRD was read is never restarted", () => {
	fc.assert(
		fc.property(
			fc.array(peers, { minLength: 1, maxLength: 30 }),
			fc.infiniteStream(fc.nat(20_000)),
			(lists, times) => {
				const story = Story.kept();
				story.happens({ type: "bird_up" });
				for (const list of lists) {
					const read = peersOf(list);
					const [{ value: time = 0 }] = [times.next()];
					const actions = [...story.happens(reading(...read)), ...story.passes(time)];
					for (const action of actions)
						if (action.type === "restart_peer")
							expect(read.find(({ name }) => name === action.peer)?.state).not.toBe("Established");
				}
			},
		),
		PARAMETERS,
	);
});

test("while nothing changes, a peer is restarted at ever longer intervals", () => {
	const state = fc.constantFrom("Passive", "Active", "Idle");
	const bfd = fc.constantFrom("up", "down", "none");
	fc.assert(
		fc.property(state, bfd, fc.integer({ min: 1, max: 60 }), (is, with_, pollInterval) => {
			const story = Story.kept({ pollInterval });
			const down = peer({ state: is, bfd: with_, protocolState: "start", neighborAddress: "192.168.1.2" });
			const restarts: number[] = [];
			story.happens({ type: "bird_up" }, reading(down));
			for (let poll = 0; poll < 400; poll++) {
				for (const action of [...story.passes(5000), ...story.happens(reading(down))])
					if (action.type === "report" && action.event === "peer_nudged") restarts.push(story.time);
			}
			const gaps = restarts.slice(1).map((at, index) => at - (restarts[index] ?? 0));
			// The time between two readings decides by how much one may seem shorter.
			for (const [index, gap] of gaps.entries())
				if (index > 0) expect(gap + 6000).toBeGreaterThanOrEqual(gaps[index - 1] ?? 0);
		}),
		{ ...PARAMETERS, numRuns: 30 },
	);
});

test("a thousand peers that come and go leave nothing behind", () => {
	const story = Story.kept();
	story.happens({ type: "bird_up" });
	const few = [peer({ neighborAddress: "192.168.1.2" })];
	story.happens(reading(...few));
	story.passes(60_000);
	const sizeOf = () =>
		JSON.stringify(story.state, (_, value) => (value instanceof Map ? [...value] : value)).length;
	const before = sizeOf();
	for (let round = 0; round < 12; round++) {
		const many = Array.from({ length: 1000 }, (_, index) =>
			peer({
				name: `peer_${round}_${index}`,
				state: index % 2 === 0 ? "Established" : "Passive",
				protocolState: index % 2 === 0 ? "up" : "start",
				neighborAddress: `10.${round}.${Math.floor(index / 250)}.${index % 250}`,
			}),
		);
		story.happens(reading(...many));
		story.passes(2000);
	}
	story.happens(reading(...few));
	story.passes(60_000);
	story.happens(reading(...few));
	expect(sizeOf()).toBeLessThan(before + 4000);
	expect(story.status.peers).toHaveLength(1);
});
