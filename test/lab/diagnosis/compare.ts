import { type Daemon, startDaemon } from "../daemon.ts";
import type { Host } from "../host.ts";
import { type Lab, startLab } from "../lab.ts";
import { birdConfigFile } from "../programs.ts";
import { pause, until } from "../wait.ts";
import type { AnyWorld, Cause } from "./causes.ts";
import { type Change, changes, lastOutage, lossesSince, upSince } from "./sessions.ts";
import { frrEnds, World } from "./world.ts";

/** How one cause went in one of the two worlds. */
export interface Played {
	/** How often BIRD left Established, from the cause's beginning to the end of the watch; see `lossesSince`. */
	readonly losses: number;
	/** Milliseconds from the beginning of the cause's end to the last coming up; 0: it was up. Absent: not within the watch. */
	readonly backAfter?: number;
	/** Milliseconds from the last loss to that; 0: it was never lost, or is not back. */
	readonly downFor: number;
	/** How often the daemon restarted the peer, as its log says. */
	readonly restarts: number;
	/** What BIRD and the daemon logged, for whoever reads a failure. */
	readonly said: string;
}

export interface Pair {
	readonly with: Played;
	readonly without: Played;
	/** Milliseconds from the cause's end to the end of the watch, in both. */
	readonly watched: number;
}

export interface Schedule {
	/** Milliseconds from a cause's beginning to its end. */
	readonly lasts: number;
	/** The longest watch after the cause's end, in ms. */
	readonly watch: number;
	/** Ends the watch as soon as more of it could not change the verdict. */
	readonly untilDecided: boolean;
}

/** A session that has been up for this many ms at both ends is there for good. */
const SETTLED = 10_000;
/**
 * Milliseconds by which the two worlds may differ though remediation made no difference: they share the processors, and FRR's
 * and BIRD's clocks of a dial tick in whole seconds, beginning when each world lost its session.
 */
const ALLOWANCE = 3000;
/**
 * BIRD shortens each of its waits by up to a quarter, by chance (proto/bgp/bgp.c, `bgp_start_timer`): where both worlds wait for
 * it they differ by that much. Its shortest (`error wait time`) is 45 s: what was down for less has not waited so.
 */
const SHORTEST_WAIT = 45_000;

/** Why remediation made it worse; undefined: it did not. */
export function worse({ shownBySession }: Cause, { with: left, without: right }: Pair): string | undefined {
	const losses = right.losses + (shownBySession ? 1 : 0);
	if (left.losses > losses) return `lost ${left.losses} times, not ${losses}`;
	// Nothing keeps it down any more: a comparison of two that never came back would say nothing.
	if (left.backAfter === undefined) return "not back";
	const allowance = ALLOWANCE + (left.downFor >= SHORTEST_WAIT ? left.downFor / 4 : 0);
	const { backAfter: other = Number.POSITIVE_INFINITY } = right;
	return left.backAfter > other + allowance ? "back later" : undefined;
}

/** Plays a cause in two worlds at the same times: with remediation and without it. */
export async function compare(
	cause: Cause,
	{ family, version }: Pick<AnyWorld, "family" | "version">,
	{ lasts, watch, untilDecided }: Schedule,
): Promise<Pair> {
	const sides = [true, false].map((remediate) => new Side(cause, family, version, remediate));
	const each = async <T>(step: (side: Side) => Promise<T>) => Promise.all(sides.map(step));
	try {
		await each((side) => side.prepare());
		await each((side) => side.begin());
		const left = Math.max(0, lasts - Math.min(...sides.map(({ begun }) => Date.now() - begun)));
		await pause(left);
		await each((side) => side.end());
		const ended = performance.now();
		const pair = (): Pair => {
			const [left, right] = sides.map((side) => side.played());
			if (!left || !right) throw new Error("two sides");
			return { with: left, without: right, watched: performance.now() - ended };
		};
		while (performance.now() - ended < watch) {
			const settled = await each((side) => side.settled());
			if (settled.every(Boolean)) break;
			// The other one can be lost again, and come back later still.
			if (untilDecided && settled[0] && worse(cause, pair()) === undefined) break;
			await pause(500);
		}
		return pair();
	} finally {
		await each((side) => side.stop());
	}
}

/** One of the two worlds. */
class Side {
	/** Milliseconds since 1970: when the cause began, and when its end began. */
	begun = 0;
	ended = 0;
	private lab: Lab | undefined;
	private world: World | undefined;
	private daemon: Daemon | undefined;
	private linesBefore = 0;

	constructor(
		private readonly cause: Cause,
		private readonly family: 4 | 6,
		private readonly version: 2 | 3,
		private readonly remediate: boolean,
	) {}

	async prepare(): Promise<void> {
		const { cause, family, version, remediate } = this;
		const lab = await startLab();
		this.lab = lab;
		keepLog(lab.router);
		const world = new World(lab, family, version, frrEnds(cause.frr));
		this.world = world;
		this.begun = Date.now();
		if (cause.fromStart) await cause.begin(world);
		const { daemon } = startDaemon(lab.router, { main: { remediate }, mqtt: { enabled: false } });
		this.daemon = daemon;
		await world.startBird(cause.bird);
		await world.startSpeaker();
		if (cause.fromStart) {
			await daemon.untilStatus("BIRD answers", ({ router }) => router.bird.reachable, { timeout: 20_000 });
			return;
		}
		// FRR may lose a first session to its own BFD: that is no loss of the cause's.
		await until("a session that stays", () => this.isUpFor(3000), { timeout: 180_000, every: 200 });
		await daemon.untilStatus("healthy", ({ peers }) => peers.every((peer) => peer.diagnosis === "healthy"), {
			timeout: 20_000,
		});
	}

	async begin(): Promise<void> {
		if (!this.world || this.cause.fromStart) return;
		this.linesBefore = this.daemon?.process.lines.length ?? 0;
		this.begun = Date.now();
		await this.cause.begin(this.world);
	}

	async end(): Promise<void> {
		this.ended = Date.now();
		if (this.world) await this.cause.end(this.world);
	}

	/** Whether the session is back for good. */
	settled(): Promise<boolean> {
		return this.isUpFor(SETTLED);
	}

	/** BIRD's word is not enough: it may take a session for Established that the speaker has given up. */
	private async isUpFor(milliseconds: number): Promise<boolean> {
		const since = upSince(this.changes());
		if (since === undefined || Date.now() - since < milliseconds) return false;
		return (await this.world?.speaker.peer())?.bgp === "Established";
	}

	private changes(): readonly Change[] {
		return changes(this.lab?.router.read(LOG) ?? "");
	}

	played(): Played {
		const seen = this.changes();
		const since = upSince(seen);
		const lines = this.daemon?.process.lines.slice(this.linesBefore) ?? [];
		const states = seen
			.filter(({ at }) => at >= this.begun - 1000)
			.map(
				({ at, up, protocol }) =>
					`${((at - this.ended) / 1000).toFixed(1)} s: ${protocol} ${up ? "up" : "lost"}`,
			);
		return {
			losses: lossesSince(seen, this.begun, this.ended) - (this.world?.interrupted ? 1 : 0),
			...(since === undefined ? {} : { backAfter: Math.max(0, since - this.ended) }),
			downFor: lastOutage(seen, this.begun),
			restarts: lines.filter((line) => / restart(?:ed in BIRD|ed to end|ing it)\b/.test(line)).length,
			said: [...states, ...lines.slice(-40)].join("\n"),
		};
	}

	async stop(): Promise<void> {
		await this.lab?.stop();
	}
}

/** Not below /tmp: it outlives whatever a cause does to the router. */
const LOG = "/bird.log";
const TRACE = `log "${LOG}" { trace }; debug protocols { states }; timeformat log iso long ms; `;

/** BIRD logs every change of its protocols' states there, whoever writes its configuration. The file's lines keep their numbers. */
function keepLog(router: Host): void {
	const write = router.write.bind(router);
	router.write = (path, text, mode) => write(path, path === birdConfigFile ? TRACE + text : text, mode);
}
