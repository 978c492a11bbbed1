import { expect, type TestContext, test } from "vitest";
import type { DiagnosisId } from "../../../src/model/catalog.ts";
import { network } from "../network.ts";
import { trackedBgp } from "../programs.ts";
import { until } from "../wait.ts";
import { ghost, rebootNode, rebootRouter, replaceNode, restartSpeaker } from "./incidents.ts";
import type { SpeakerKind } from "./kinds.ts";
import { Stage } from "./stage.ts";

/** Ms for which a rebooted router is away. */
const AWAY = 60_000;
/** Ms between the end of a speaker and its next start. */
const RESTART = 5000;

/** What a proxy has caught is no fault of the network or of the other end. */
const wrong: readonly DiagnosisId[] = [
	"peer-unreachable",
	"unknown-address",
	"no-answer",
	"answer-lost",
	"rejected",
];

/** A session that is up; it ends with the test, also when that fails. */
async function begin(kind: SpeakerKind, { onTestFinished }: TestContext): Promise<Stage> {
	const stage = await Stage.start(kind);
	onTestFinished(() => stage.stop());
	return stage;
}

/** What the daemon has told of the peer since then: types of events, and diagnoses. */
function told(stage: Stage, since: number): { types: string[]; diagnoses: string[] } {
	const events = stage.warden.events().slice(since);
	return {
		types: events.map(({ event_type }) => event_type),
		diagnoses: events.flatMap((event) =>
			event.event_type === "diagnosis_changed" ? [String(event.diagnosis)] : [],
		),
	};
}

/** What a half-open reset leaves: its own SYN, which conntrack keeps for two minutes without an answer. It holds no session. */
const resetSyn = new RegExp(` SYN_SENT src=${network.router.lan} .*\\[UNREPLIED\\]`);

/** The session is up at both ends, healthy in the daemon's eyes, untracked, and the service has its route. */
async function expectUp(stage: Stage, mark: number): Promise<void> {
	await stage.untilUp(mark);
	await stage.untilSeen();
	expect((await trackedBgp(stage.lab.router)).filter((entry) => !resetSyn.test(entry))).toEqual([]);
	const [address] = network.service.split("/");
	await until("the service's route", () => stage.lab.router.run(["ip", "route", "show", network.service]), {
		holds: ({ stdout }) => stdout.includes(`${address} via ${network.speaker.address}`),
	});
}

/** What a router goes through with such a speaker. Each incident begins with a session that is up. */
export function incidentsOf(kind: SpeakerKind): void {
	const timeout = (kind.patience * 2 + 180) * 1000;

	test.concurrent("the ghost is seen, and the session comes up", { timeout }, async (context) => {
		const stage = await begin(kind, context);
		const before = stage.warden.events().length;
		const mark = stage.mark();
		await ghost(stage);
		await expectUp(stage, mark);
		// FRR would wait for its connect timer. The event comes as the reset ends, which may be after the session has begun.
		const reset = () => told(stage, before).types.includes("connection_reset");
		if (kind.found !== "frr") await until("the reset of the dead connection", reset);
		else expect(reset()).toBe(false);
		const { types, diagnoses } = told(stage, before);
		expect(types).toEqual(expect.arrayContaining(["conntrack_flushed", "peer_up"]));
		expect(diagnoses.filter((id) => wrong.some((each) => each === id))).toEqual([]);
	});

	test.concurrent("the router is away for a minute, and the session comes up", {
		timeout,
	}, async (context) => {
		const stage = await begin(kind, context);
		await rebootRouter(stage, { away: AWAY });
		await expectUp(stage, 0);
		expect(stage.warden.status()?.router.repairs).toBe(0);
	});

	test.concurrent("the speaker is killed and started, and the session comes up", {
		timeout,
	}, async (context) => {
		const stage = await begin(kind, context);
		const before = stage.warden.events().length;
		const mark = stage.mark();
		await restartSpeaker(stage, { away: RESTART });
		await expectUp(stage, mark);
		const { types } = told(stage, before);
		expect(types).toContain("peer_up");
		expect(types).not.toContain("table_lost");
	});

	test.concurrent("the node is away for a while, and the session comes up", { timeout }, async (context) => {
		const stage = await begin(kind, context);
		const mark = stage.mark();
		await rebootNode(stage, { away: RESTART });
		await expectUp(stage, mark);
	});

	test.concurrent("another machine takes the node's place and its address", { timeout }, async (context) => {
		const stage = await begin(kind, context);
		const mark = stage.mark();
		await replaceNode(stage, { name: "replacement" });
		await expectUp(stage, mark);
		const { peers } = await stage.daemon.untilStatus("who speaks", ({ peers: [peer] }) => {
			return peer?.speaker === kind.found && (!kind.tellsNode || peer.node === "replacement");
		});
		if (!kind.tellsNode) expect(peers[0]).not.toHaveProperty("node");
	});
}
