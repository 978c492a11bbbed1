import { afterAll, beforeAll, expect, test } from "vitest";
import { repairing } from "../daemon.ts";
import { type Lab, startLab } from "../lab.ts";
import { network } from "../network.ts";
import { birdBgp, birdMultihop, fw4Table, trackedBgp } from "../programs.ts";
import {
	establish,
	flapsSoFar,
	nftPid,
	type Session,
	sessionMark,
	settledMark,
	statesSeen,
	tableListing,
	toldOf,
} from "../session.ts";
import { until } from "../wait.ts";

const { router, speaker, broker } = network;

/** A neighbor over IPv6; nobody answers there. */
const six = `protocol bgp six {
	local ${router.lan6} as ${router.as};
	neighbor ${speaker.address6} as ${speaker.as};
	passive on;
	ipv6 { import all; export none; };
}
`;

let lab: Lab;
let session: Session;
let mark: string;
let flaps: number;
beforeAll(async () => {
	lab = await startLab();
	await lab.router.nft(fw4Table);
	session = await establish(lab, {
		main: { scope: "peers", poll_interval: 1, ...repairing },
		mqtt: { enabled: false },
	});
	mark = await settledMark(session);
	flaps = await flapsSoFar(session.daemon);
});
afterAll(() => lab.stop());

/** The addresses in the table's sets, by set. */
async function sets(): Promise<Record<string, string>> {
	const listing = await tableListing(lab.router);
	const found = listing.matchAll(/set (\w+) \{\s+type \w+(?:\s+elements = \{([^}]*)\})?/g);
	return Object.fromEntries(
		[...found].map(([, name, elements = ""]) => [
			name,
			elements
				.trim()
				.split(/[\s,]+/)
				.join(" "),
		]),
	);
}

async function thenSets(expected: Record<string, string>): Promise<void> {
	await until(`the sets to be ${JSON.stringify(expected)}`, sets, {
		holds: (now) => JSON.stringify(now) === JSON.stringify(expected),
	});
}

async function thenUndisturbed(): Promise<void> {
	expect(await statesSeen(session.bird)).toEqual(["Established"]);
	expect(await sessionMark(session)).toBe(mark);
	expect(session.warden.status()?.peers.find(({ name }) => name === network.peer)).toMatchObject({
		flaps,
	});
}

const alone = { peers4: speaker.address, peers6: "" };

test("the sets hold BIRD's neighbor, and only its BGP stays out of conntrack", async () => {
	await thenSets(alone);
	expect((await trackedBgp(lab.router)).filter((entry) => entry.includes(speaker.address))).toEqual([]);

	const dial = `import socket; socket.create_connection(("${router.lan}", 179), 2)`;
	await lab.broker.run(["python3", "-c", dial]);
	expect((await trackedBgp(lab.router)).join("\n")).toContain(`src=${broker.address} dst=${router.lan}`);
	await thenUndisturbed();
});

test("neighbors that BIRD gets and loses come into the sets and leave them, which is no repair", async () => {
	const { bird, warden } = session;
	await bird.configure(birdMultihop(birdBgp("second", "192.168.1.3", 65010) + six));
	await thenSets({ peers4: `${speaker.address} 192.168.1.3`, peers6: speaker.address6 });
	await thenUndisturbed();

	await bird.configure(birdMultihop());
	await thenSets(alone);
	await thenUndisturbed();
	expect(warden.status()?.router).toMatchObject({ repairs: 0, protection: "installed" });
	expect(warden.events().filter(({ event_type }) => event_type.startsWith("table_"))).toEqual([]);
});

test.each([
	{
		what: "a peer taken out",
		change: ["delete", "element", "inet", "custom_bgp", "peers4", `{ ${speaker.address} }`],
	},
	{
		what: "a stranger put in",
		change: ["add", "element", "inet", "custom_bgp", "peers6", "{ fd00:1::bad }"],
	},
	{ what: "a set emptied", change: ["flush", "set", "inet", "custom_bgp", "peers4"] },
])("sets edited by hand are repaired: $what", async ({ change }) => {
	const repairs = session.warden.status()?.router.repairs ?? Number.NaN;
	const pid = await nftPid(lab.router, change);
	await thenSets(alone);
	const { router: state } = await session.daemon.untilStatus(
		"a repair",
		(now) => now.router.repairs > repairs,
	);
	expect(state).toMatchObject({
		repairs: repairs + 1,
		last_repair: { ...toldOf({ pid }), reason: "changed" },
	});
	await thenUndisturbed();
});

test("a scope changed while the daemon runs changes the table and leaves the session alone", async () => {
	const { warden, daemon } = session;
	const repairs = warden.status()?.router.repairs;
	warden.configure({ main: { scope: "any", poll_interval: 1, ...repairing }, mqtt: { enabled: false } });
	daemon.reload();
	await until("a table without sets", () => tableListing(lab.router), {
		holds: (listing) => listing.includes("chain raw_pre") && !listing.includes("@peers4"),
	});
	await thenUndisturbed();

	warden.configure({ main: { scope: "peers", poll_interval: 1, ...repairing }, mqtt: { enabled: false } });
	daemon.reload();
	await thenSets(alone);
	await thenUndisturbed();
	expect(warden.status()?.router.repairs).toBe(repairs);
});
