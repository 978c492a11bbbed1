import type { Host } from "../host.ts";
import type { Lab } from "../lab.ts";
import {
	type Bird,
	birdPeering,
	type Frr,
	type FrrOptions,
	type Peering,
	startBird,
	startFrr,
} from "../programs.ts";
import type { Speaker, SpeakerKind } from "../speakers/kinds.ts";

/** Who speaks on the node, and how BIRD is configured for it. */
export interface Ends<S extends Speaker> {
	/** Where nothing is wrong. */
	readonly peering: Peering;
	start(host: Host, family: 4 | 6): Promise<S>;
	/** Has a running speaker dial anew; absent: it is killed and started, as its pod is. */
	redial?(speaker: S): Promise<unknown>;
}

/** FRR as FRR-K8s configures it, with BFD. */
export function frrEnds(options: FrrOptions = {}): Ends<Frr> {
	return {
		peering: {},
		start: (host, family) => startFrr(host, { family, ...options }),
		redial: (frr) => frr.vtysh("clear bgp *"),
	};
}

/** Another speaker, over IPv4; with the hold time that `render bird` writes. */
export function endsOf({ peering, start }: SpeakerKind): Ends<Speaker> {
	return { peering: { ...peering, extra: lines("hold time 15;", peering.extra) }, start };
}

const lines = (...all: (string | undefined)[]) => all.filter((line) => line !== undefined).join("\n\t");

/** The world that a cause is put into: the daemon runs, and the session was healthy, unless the cause says otherwise. */
export class World<S extends Speaker = Frr> {
	/** Whoever ended the cause interrupted a session that was up, as the remedy says: that loss is not remediation's. */
	interrupted = false;
	private runningBird: Bird | undefined;
	private runningSpeaker: S | undefined;

	constructor(
		readonly lab: Lab,
		readonly family: 4 | 6,
		readonly version: 2 | 3,
		private readonly ends: Ends<S>,
	) {}

	/** @throws Error before `startBird` */
	get bird(): Bird {
		if (!this.runningBird) throw new Error("no BIRD");
		return this.runningBird;
	}

	/** @throws Error before `startSpeaker` */
	get speaker(): S {
		if (!this.runningSpeaker) throw new Error("no speaker");
		return this.runningSpeaker;
	}

	/** BIRD's configuration for this speaker. @param wrong what does not fit */
	birdConfig(wrong: Peering = {}): string {
		const { peering } = this.ends;
		const extra = lines(peering.extra, wrong.extra);
		return birdPeering({ family: this.family, ...peering, ...wrong, extra });
	}

	async startBird(wrong: Peering = {}): Promise<void> {
		this.runningBird = await startBird(this.lab.router, this.birdConfig(wrong), this.version);
	}

	async startSpeaker(): Promise<void> {
		this.runningSpeaker = await this.ends.start(this.lab.speaker, this.family);
	}

	/** The speaker dials anew, as it does when its pod was restarted. */
	async redial(): Promise<void> {
		if (this.ends.redial) {
			await this.ends.redial(this.speaker);
			return;
		}
		await this.speaker.crash();
		await this.startSpeaker();
	}
}
