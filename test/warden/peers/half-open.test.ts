import { describe, expect, test } from "vitest";
import type { Settings } from "../../../src/model/settings.ts";
import type { Speaker } from "../../../src/model/speaker.ts";
import type { Action } from "../../../src/warden/actions.ts";
import { logged, peer, reading, Story, type TestPeer, types } from "../story.ts";

const down = peer({ state: "Passive", protocolState: "start", bfd: "none", neighborAddress: "192.168.1.2" });
const up = peer({ bfd: "none", neighborAddress: "192.168.1.2", open: { program: "gobgp" } });

const connection = {
	localAddress: "192.168.1.1",
	localPort: 179,
	peerAddress: "192.168.1.2",
	peerPort: 40001,
};
const flush = (...connections: (typeof connection)[]) =>
	({ type: "flushed", deleted: connections.length, left: 0, connections }) as const;

/** A warden that sees the peer, whose speaker the configuration tells. */
function watching(
	speaker: Speaker | undefined,
	seen: TestPeer = down,
	changes: Partial<Settings> = {},
): Story {
	const speakers = new Map(speaker === undefined ? [] : [[seen.name, speaker]]);
	const story = Story.kept({ speakers, ...changes });
	story.happens({ type: "bird_up", version: "3.1.8" }, reading(seen));
	return story;
}

const resets = (actions: readonly Action[]) => actions.filter(({ type }) => type === "reset_half_open");

/** Half a minute and more, in which BIRD says the same. */
function waits(story: Story, seen: TestPeer, seconds: number): Action[] {
	return Array.from({ length: seconds }, () => [
		...story.happens(reading(seen)),
		...story.passes(1000),
	]).flat();
}

describe("a connection that its peer takes for established", () => {
	test.each(["gobgp", "cilium", "metallb-native", "calico", "bird"] as const)(
		"of %s is reset as soon as its conntrack entry is gone, once",
		(speaker) => {
			const story = watching(speaker);
			expect(resets(story.happens(flush(connection)))).toEqual([
				{ type: "reset_half_open", peer: "waukeen", connections: [connection] },
			]);
			expect(story.status.peers[0]?.tried).toMatch(
				/^resetting its half-open connection, .*: waiting for its effect$/,
			);
			expect(resets([...story.happens(flush(connection)), ...waits(story, down, 60)])).toEqual([]);
		},
	);

	test.each(["frr-k8s", "metallb-frr", "frr"] as const)("of %s is never reset", (speaker) => {
		const story = watching(speaker);
		expect(resets([...story.happens(flush(connection)), ...waits(story, down, 120)])).toEqual([]);
	});

	test("of a speaker that nobody knows is reset once FRR would have dialed again", () => {
		const story = watching(undefined);
		expect(resets([...story.happens(flush(connection)), ...waits(story, down, 29)])).toEqual([]);
		expect(resets(waits(story, down, 3))).toHaveLength(1);
	});

	test("of such a speaker is left alone while BFD is up: FRR dials as BFD comes up", () => {
		const story = watching(undefined);
		const seen = { ...down, bfd: "up" } as const;
		expect(resets([...story.happens(flush(connection)), ...waits(story, seen, 120)])).toEqual([]);
	});

	test("is known by the peer's last OPEN", () => {
		const story = watching(undefined, up);
		story.happens(reading(down));
		expect(resets(story.happens(flush(connection)))).toHaveLength(1);
	});

	test("is not reset once the session is up, nor where remedies are off", () => {
		const story = watching("gobgp", up);
		expect(resets([...story.happens(flush(connection)), ...waits(story, up, 5)])).toEqual([]);
		story.happens(reading(down));
		expect(resets(waits(story, down, 5))).toEqual([]);
		const idle = watching("gobgp", down, { remediate: false });
		expect(resets([...idle.happens(flush(connection)), ...waits(idle, down, 5)])).toEqual([]);
	});

	test("is another peer's, or nobody's: nothing is done", () => {
		const story = watching("gobgp");
		expect(resets(story.happens(flush({ ...connection, peerAddress: "192.168.1.9" })))).toEqual([]);
	});

	test("may be one of several", () => {
		const story = watching("gobgp");
		const other = { ...connection, peerPort: 40002 };
		const [action] = resets(story.happens(flush(connection, other)));
		expect(action).toEqual({ type: "reset_half_open", peer: "waukeen", connections: [connection, other] });
	});

	test("of a link-local peer is reset through its interface", () => {
		const seen = { ...down, neighborAddress: "fe80::2", neighborInterface: "br-lan" };
		const story = watching("gobgp", seen);
		const [action] = resets(
			story.happens(flush({ ...connection, peerAddress: "fe80::2", localAddress: "fe80::1" })),
		);
		expect(action).toMatchObject({ zone: "br-lan" });
	});

	test("of a node that BIRD has made no protocol for is reset for its range", () => {
		const { neighborAddress: _, ...rest } = down;
		const story = watching("cilium", { ...rest, name: "cluster", neighborRange: "192.168.1.0/24" });
		expect(resets(story.happens(flush(connection)))).toMatchObject([{ peer: "cluster" }]);
	});
});

describe("what came of a reset", () => {
	test("is told, and is an event", () => {
		const story = watching("gobgp");
		story.happens(flush(connection));
		const actions = story.happens({ type: "half_open_reset", peer: "waukeen", reset: 1 });
		expect(types(actions)).toContain("connection_reset");
		expect(logged(actions)).toEqual([
			"peer waukeen: told the speaker that its half-open connection to this router is over",
		]);
		story.passes(2000);
		story.happens(reading(up));
		expect(story.status.peers[0]?.tried).toMatch(
			/^resetting its half-open connection, .*: it came up 2 s later$/,
		);
	});

	test("is a warning where it could not be made", () => {
		const story = watching("gobgp");
		story.happens(flush(connection));
		const failure = "nc: not found";
		const actions = story.happens({ type: "half_open_reset", peer: "waukeen", reset: 0, failure });
		expect(types(actions)).toEqual([]);
		expect(logged(actions)).toEqual([
			"peer waukeen: its half-open connection could not be reset: nc: not found",
		]);
	});
});

describe("a restart in BIRD", () => {
	const configuration = (passive: boolean) =>
		({
			type: "bird_configured",
			configuration: { bgp: [{ name: "waukeen", passive, channels: [] }] },
		}) as never;

	test("is of no use to a speaker that neither has BFD nor listens, and is not made", () => {
		const story = watching("gobgp");
		story.happens(configuration(true), flush(connection));
		expect(types(waits(story, down, 60))).not.toContain("restart_peer");
	});

	test("has a BIRD that dials do so at once", () => {
		const story = watching("gobgp");
		story.happens(configuration(false), flush(connection));
		expect(types(waits(story, down, 60))).toContain("restart_peer");
	});
});
