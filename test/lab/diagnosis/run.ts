import type { DiagnosisId } from "../../../src/model/catalog.ts";
import { type Daemon, startDaemon, type Warden } from "../daemon.ts";
import { startLab } from "../lab.ts";
import { untilEstablished } from "../session.ts";
import type { Speaker, SpeakerKind } from "../speakers/kinds.ts";
import { pause, until } from "../wait.ts";
import type { AnyWorld, Cause } from "./causes.ts";
import { type Ends, endsOf, frrEnds, World } from "./world.ts";

/** How one cause was named. Times in ms. */
export interface Outcome {
	readonly cause: string;
	readonly expected: DiagnosisId;
	/** What was said first; absent: nothing in time. */
	readonly first?: DiagnosisId;
	readonly namedAfter?: number;
	/** Whatever else was said while the cause lasted. */
	readonly others: readonly DiagnosisId[];
	/** From the cause's end to `healthy`, with the session up at both ends; absent: not within the limit. */
	readonly healedAfter?: number;
	/** What was said, with its evidence, for whoever reads a failure. */
	readonly said: string;
}

/** Milliseconds in which a cause is to be named, and its end seen. */
const NAMED_WITHIN = 10_000;
const HEALED_WITHIN = 5000;
/** How long the runner waits beyond that, to tell late from never. */
const LATE = 20_000;

/** Plays one cause with FRR in a world of its own, from a healthy session to a healthy session. */
export function play(cause: Cause, where: Pick<AnyWorld, "family" | "version">): Promise<Outcome> {
	return playIn(cause, where, frrEnds(cause.frr), {});
}

/** The same with another speaker, which may take its time: without BFD the next dial tells most causes. Over IPv4. */
export function playWith(
	kind: SpeakerKind,
	cause: Cause<Speaker>,
	{ version }: Pick<AnyWorld, "version">,
): Promise<Outcome> {
	return playIn(cause, { family: 4, version }, endsOf(kind), { patience: kind.patience * 1000 });
}

async function playIn<S extends Speaker>(
	cause: Cause<S>,
	{ family, version }: Pick<AnyWorld, "family" | "version">,
	ends: Ends<S>,
	{ patience = 0 }: { readonly patience?: number },
): Promise<Outcome> {
	const lab = await startLab();
	try {
		const world = new World(lab, family, version, ends);
		if (cause.fromStart) await cause.begin(world);
		const { warden, daemon } = startDaemon(lab.router, { mqtt: { enabled: false } });
		await world.startBird(cause.bird);
		await world.startSpeaker();
		if (!cause.fromStart) {
			await untilHealthy(daemon, 60_000);
			// BFD of FRR may fall once more as the session comes up.
			await pause(2000);
			await untilHealthy(daemon, 20_000);
		} else
			await daemon.untilStatus("BIRD answers", ({ router }) => router.bird.reachable, { timeout: 20_000 });
		// What is there from the start may be named before BIRD is asked for here.
		const begun = cause.fromStart ? 0 : warden.events().length;
		if (!cause.fromStart) await cause.begin(world);
		if (cause.whileUp) await untilEstablished(daemon, { timeout: 60_000 });
		const start = performance.now();
		const isOther = (id: DiagnosisId) => cause.meanwhile?.includes(id) !== true;
		const first = await firstNamed(
			warden,
			begun,
			isOther,
			Math.max(cause.within ?? NAMED_WITHIN, patience) + LATE,
		);
		const namedAfter = performance.now() - start;
		await pause(1500);
		const said = shown(warden);
		const during = named(warden, begun);
		const ending = warden.events().length;
		await cause.end(world);
		const end = performance.now();
		const limit = Math.max(cause.healedWithin ?? HEALED_WITHIN, patience) + LATE;
		const healed = await untilHealed(world, daemon, limit).then(
			() => true,
			() => false,
		);
		const healedAfter = performance.now() - end;
		// Afterwards a speaker that takes its time is waited for, rightly.
		const afterwards = named(warden, ending).filter((id) => patience === 0 || id !== "waiting");
		const ids = [...during, ...afterwards];
		const others = [...new Set(ids)].filter((id) => id !== cause.id && id !== "healthy" && isOther(id));
		const isFine = healed && others.length === 0;
		return {
			cause: cause.name,
			expected: cause.id,
			...(first === undefined ? {} : { first, namedAfter }),
			others,
			...(healed ? { healedAfter } : {}),
			said: isFine ? said : `${said}\nat the end: ${shown(warden)}\n${daemon.process.tail()}`,
		};
	} finally {
		await lab.stop();
	}
}

/** Whether it was named right the first time, in time, and nothing else was said. */
export function isRight(
	{ first, expected, others, namedAfter = Number.POSITIVE_INFINITY }: Outcome,
	within = NAMED_WITHIN,
): boolean {
	return first === expected && others.length === 0 && namedAfter <= within;
}

/** Whether its end was seen in time. */
export function isHealed({ healedAfter }: Outcome, within = HEALED_WITHIN): boolean {
	return healedAfter !== undefined && healedAfter <= within;
}

/** BIRD's word is not enough: it may take a session for Established that the speaker has given up. */
async function untilHealed({ speaker }: AnyWorld, daemon: Daemon, timeout: number): Promise<void> {
	await untilHealthy(daemon, timeout);
	await until("the speaker to say so too", () => speaker.peer(), {
		holds: ({ bgp }) => bgp === "Established",
		timeout: LATE,
	});
}

async function untilHealthy(daemon: Daemon, timeout: number): Promise<void> {
	await daemon.untilStatus(
		"healthy",
		({ peers }) => peers.length > 0 && peers.every(({ diagnosis }) => diagnosis === "healthy"),
		{
			timeout,
			every: 100,
		},
	);
}

async function firstNamed(
	warden: Warden,
	begun: number,
	counts: (id: DiagnosisId) => boolean,
	timeout: number,
): Promise<DiagnosisId | undefined> {
	const bad = () => named(warden, begun).filter((id) => id !== "healthy" && counts(id));
	return until(
		"a diagnosis",
		() =>
			bad()[0] ??
			(status(warden) === "bird-down" && counts("bird-down") ? ("bird-down" as const) : undefined),
		{
			timeout,
			every: 100,
		},
	).catch(() => undefined);
}

function status(warden: Warden): DiagnosisId | undefined {
	return warden.status()?.router.diagnosis;
}

function named(warden: Warden, begun: number): DiagnosisId[] {
	return warden
		.events()
		.slice(begun)
		.flatMap((event) => (event.event_type === "diagnosis_changed" ? [event.diagnosis as DiagnosisId] : []));
}

function shown(warden: Warden): string {
	const { router, peers = [] } = warden.status() ?? {};
	const lines = peers.map((peer) => JSON.stringify(peer));
	return [`router: ${JSON.stringify(router?.diagnosis)} ${router?.problem ?? ""}`, ...lines].join("\n");
}
