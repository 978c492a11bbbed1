import { describe, expect, test } from "vitest";
import type { Action } from "../../../src/warden/actions.ts";
import { peer, reading, Story, type TestPeer } from "../story.ts";
import { deleted, repair } from "./bench.ts";

/** What a restart can cure: what broke the connection ends by itself. Of musl and of glibc, which BIRD prints. */
const CURABLE = [
	"Error: Neighbor lost",
	"Error: Link down",
	"Error: BFD session down",
	"Error: Graceful restart",
	"Socket: Connection closed",
	"Socket: Connection reset by peer",
	"Socket: Connection refused",
	"Socket: Connection timed out",
	"Socket: Operation timed out",
	"Socket: No route to host",
	"Socket: Host is unreachable",
	"Socket: Network is unreachable",
	"Socket: Network unreachable",
	"Socket: Network is down",
	"Socket: Broken pipe",
	"BGP Error: Hold timer expired",
	"Received: Hold timer expired",
	"Received: Finite state machine error",
];

/** The words of bgp_misc_errors, bgp_auto_errors (proto/bgp/bgp.c) and bgp_msg_table (packets.c) of BIRD 2.17.1 and 3.3.2. */
const MESSAGES =
	`Invalid message header/Connection not synchronized/Bad message length/Bad message type/Invalid OPEN message/Unsupported version number/Bad peer AS/Bad BGP identifier/Unsupported optional parameter/Authentication failure/Unacceptable hold time/Required capability missing/No supported AFI/SAFI/Role mismatch/Invalid UPDATE message/Malformed attribute list/Unrecognized well-known attribute/Missing mandatory attribute/Invalid attribute flags/Invalid attribute length/Invalid ORIGIN attribute/AS routing loop/Invalid NEXT_HOP attribute/Optional attribute error/Invalid network field/Malformed AS_PATH/Hold timer expired/Finite state machine error/Unexpected message in OpenSent state/Unexpected message in OpenConfirm state/Unexpected message in Established state/Cease/Maximum number of prefixes reached/Administrative shutdown/Peer de-configured/Administrative reset/Connection rejected/Other configuration change/Connection collision resolution/Out of Resources/Invalid ROUTE-REFRESH message/Invalid ROUTE-REFRESH message length/Send hold timer expired/Unknown error 6.10/Unknown error 99.1`
		.replace("AFI/SAFI", "AFI-SAFI")
		.split("/")
		.map((words) => words.replace("AFI-SAFI", "AFI/SAFI"));

const ALL = [
	...["Neighbor lost", "Invalid next hop", "Authentication failed", "No listening socket", "Link down"].map(
		(words) => `Error: ${words}`,
	),
	"Error: BFD session down",
	"Error: Graceful restart",
	"Automatic shutdown: Route limit exceeded",
	...MESSAGES.flatMap((words) => [`Received: ${words}`, `BGP Error: ${words}`]),
	"Socket: Permission denied",
	"Socket: Protocol not available",
	"Socket: Address not available",
	"Something new",
];
const INCURABLE = ALL.filter((text) => !CURABLE.includes(text));

const known = { neighborAddress: "192.168.1.2" };
const established = peer(known);
const restarts = (actions: readonly Action[]) => actions.filter(({ type }) => type === "restart_peer").length;

function waiting(lastError: string, bfd: "up" | "down" = "up"): TestPeer {
	return peer({ ...known, state: "Idle", protocolState: "start", bfd, lastError });
}

/** Everything that ever makes the daemon restart a peer happens, for half an hour, while BIRD says the same. */
function halfAnHour(down: (bfd: "up" | "down") => TestPeer): { story: Story; restarted: number } {
	const story = Story.kept();
	story.happens({ type: "bird_up" }, reading(established));
	story.passes(60_000);
	story.happens(reading(established));
	let restarted = 0;
	for (let second = 0; second < 1800; second += 2) {
		const actions = [
			...story.happens(reading(down(second % 20 < 10 ? "up" : "down"))),
			...story.passes(2000),
		];
		if (second % 120 === 10)
			actions.push(...repair(story), ...story.happens({ type: "listed", text: "whole" }));
		if (second % 60 === 20) actions.push(...story.happens({ type: "flushed", deleted: 1, left: 0 }));
		if (second % 60 === 40)
			actions.push(
				...story.happens({ type: "ruleset_changed", tables: ["inet x"], actor: { process: "x", pid: 1 } }),
			);
		restarted += restarts(actions);
	}
	return { story, restarted };
}

describe("a wait that BIRD has made", () => {
	test.each(CURABLE)("after %s is ended", (error) => {
		const story = Story.kept();
		story.happens({ type: "bird_up" }, reading(established));
		story.passes(60_000);
		story.happens(reading(established));
		expect(restarts([...story.happens(reading(waiting(error))), ...story.passes(2000)])).toBeGreaterThan(0);
	});

	test("is left alone after every other error, known or not", () => {
		expect(INCURABLE).toHaveLength(ALL.length - 7);
		for (const error of INCURABLE) {
			const story = Story.kept();
			story.happens({ type: "bird_up" }, reading(established));
			story.passes(60_000);
			story.happens(reading(established));
			for (let second = 0; second < 90; second++) {
				const actions = [...story.happens(reading(waiting(error))), ...story.passes(1000)];
				if (second === 40) actions.push(...repair(story));
				expect(restarts(actions), `${error}, second ${second}`).toBe(0);
			}
		}
	});

	test.each([
		"Automatic shutdown: Route limit exceeded",
		"Received: Maximum number of prefixes reached",
		"BGP Error: Maximum number of prefixes reached",
		"Received: Administrative shutdown",
		"Received: Bad peer AS",
	])(
		"after %s is never ended, nor is the peer restarted once it listens again, whatever else happens",
		(lastError) => {
			expect(halfAnHour((bfd) => waiting(lastError, bfd)).restarted).toBe(0);
			const listening = (bfd: "up" | "down") => ({ ...waiting(lastError, bfd), state: "Passive" });
			const { story, restarted } = halfAnHour(listening);
			expect(restarted).toBe(0);
			expect(story.status.peers[0]).toMatchObject({ level: "red" });
			// A person knows better.
			const asked = story.happens({
				type: "command",
				command: { verb: "restart", peer: "waukeen", id: "1" },
			});
			expect(asked).toContainEqual({ type: "restart_peer", peer: "waukeen", verb: "restart", id: "1" });
		},
	);

	test("is ended twice in five minutes at the most, and never for a peer that has been lost three times", () => {
		const story = Story.kept();
		story.happens({ type: "bird_up" }, reading(established));
		story.passes(60_000);
		let ended = 0;
		for (let loss = 0; loss < 10; loss++) {
			story.happens(reading(established));
			story.passes(8000);
			for (let second = 0; second < 12; second++)
				ended += restarts([
					...story.happens(reading(waiting("Error: BFD session down", second < 6 ? "down" : "up"))),
					...story.passes(1000),
				]);
		}
		expect(ended).toBeGreaterThan(0);
		expect(ended).toBeLessThanOrEqual(2);
		expect(story.status.peers[0]).toMatchObject({ diagnosis: "flapping" });
	});

	test("that nothing ends has the table checked and conntrack flushed once in ten minutes, not all the time", () => {
		const story = Story.kept();
		story.happens({ type: "bird_up" }, reading(established));
		const flushes: number[] = [];
		for (let second = 0; second < 1500; second++) {
			const actions = [
				...story.happens(reading(waiting("Received: Administrative reset"))),
				...story.passes(1000),
			];
			for (const { type } of actions) {
				if (type === "list") story.happens({ type: "listed", text: "whole" });
				if (type !== "flush") continue;
				story.happens({ type: "flushed", deleted: 0, left: 0 });
				flushes.push(second);
			}
		}
		expect(flushes.length).toBeGreaterThan(0);
		expect(flushes.length).toBeLessThanOrEqual(3);
	});
});

test("what BIRD does not say is no reason to wait: a peer without an error is restarted after a repair", () => {
	const story = Story.kept();
	const idle = peer({ ...known, state: "Idle", protocolState: "start" });
	story.happens(
		{ type: "bird_up" },
		reading(idle),
		deleted,
		{ type: "own_transaction" },
		{ type: "installed" },
	);
	expect(restarts(story.happens(reading(idle)))).toBe(1);
});
