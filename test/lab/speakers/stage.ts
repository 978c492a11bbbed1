import { defaultConfig } from "../../../src/config/load.ts";
import { tableSpec } from "../../../src/model/table.ts";
import { renderTable } from "../../../src/system/nft/table-text.ts";
import { type Daemon, type UciOptions, Warden } from "../daemon.ts";
import { type Lab, startLab } from "../lab.ts";
import { network } from "../network.ts";
import { type Bird, birdPeering, startBird } from "../programs.ts";
import { until } from "../wait.ts";
import type { Speaker, SpeakerKind } from "./kinds.ts";

/** The table as it is put back by hand. */
const table = renderTable(tableSpec(defaultConfig().main, [], [179]));

export interface StageOptions {
	/** Whether bgpwarden runs on the router; default true. Without it somebody puts the table back, and that is all. */
	readonly protect?: boolean;
	readonly config?: UciOptions;
}

/** A router and one node with its speaker, for incidents. */
export class Stage {
	readonly warden: Warden;
	private runningBird: Bird | undefined;
	private runningSpeaker: Speaker | undefined;
	private runningDaemon: Daemon | undefined;

	private constructor(
		readonly lab: Lab,
		readonly kind: SpeakerKind,
		private readonly options: StageOptions,
	) {
		this.warden = new Warden(lab.router);
	}

	/**
	 * Starts everything and waits until both ends are up. There is a switch between them: a node whose carrier goes and comes
	 * with the router's would dial at that very moment.
	 */
	static async start(kind: SpeakerKind, options: StageOptions = {}): Promise<Stage> {
		const stage = new Stage(await startLab({ switched: true }), kind, options);
		try {
			stage.warden.install();
			stage.warden.configure({ mqtt: { enabled: false }, ...options.config });
			await stage.putTable();
			await stage.startRouter();
			await stage.startSpeaker();
			await stage.untilUp(0);
			if (stage.isProtected) await stage.untilSeen();
			if (kind.bfd)
				await until("BFD", () => stage.bird.peer(), { holds: ({ bfd }) => bfd === "Up", timeout: 20_000 });
			return stage;
		} catch (error) {
			await stage.stop();
			throw error;
		}
	}

	get isProtected(): boolean {
		return this.options.protect !== false;
	}

	get bird(): Bird {
		if (!this.runningBird) throw new Error("no BIRD");
		return this.runningBird;
	}

	get speaker(): Speaker {
		if (!this.runningSpeaker) throw new Error("no speaker");
		return this.runningSpeaker;
	}

	get daemon(): Daemon {
		if (!this.runningDaemon) throw new Error("no daemon");
		return this.runningDaemon;
	}

	/** The daemon is started, or somebody loads the table and does nothing else. */
	async putTable(): Promise<void> {
		if (this.isProtected) this.runningDaemon = this.warden.start();
		else await this.lab.router.nft(table);
	}

	/** The router's BIRD. */
	async startRouter(): Promise<void> {
		this.runningBird = await startBird(this.lab.router, birdPeering(this.kind.peering));
	}

	async startSpeaker(): Promise<void> {
		this.runningSpeaker = await this.kind.start(this.lab.speaker);
	}

	/** A place in BIRD's log, from where `untilUp` looks. */
	mark(): number {
		return this.bird.process.lines.length;
	}

	/**
	 * Waits until the session is up at both ends, by BIRD's own log: asking BIRD many times a second would cost what other
	 * labs need. @returns when BIRD said so, of `performance.now()`
	 */
	async untilUp(mark: number, timeout = (this.kind.patience + 60) * 1000): Promise<number> {
		const end = performance.now() + timeout;
		for (let from = mark; ; from = this.mark()) {
			await until(
				`${this.kind.name}: BIRD's session`,
				() => {
					this.bird.process.mustRun();
					return this.bird.process.lines.slice(from).some((line) => isUp.test(line));
				},
				{ every: 10, timeout: end - performance.now() },
			);
			const at = performance.now();
			const both = await until("the speaker to say so too", () => this.speaker.peer(), {
				holds: ({ bgp }) => bgp === "Established",
				timeout: 3000,
			}).catch(() => undefined);
			if (both) return at;
		}
	}

	/** Waits until the daemon says so as well, with nothing wrong. */
	async untilSeen(timeout = 30_000): Promise<void> {
		await this.daemon.untilStatus(
			"the peer is healthy",
			({ peers }) =>
				peers.some(
					({ name, state, diagnosis }) =>
						name === network.peer && state === "Established" && diagnosis === "healthy",
				),
			{ timeout },
		);
	}

	stop(): Promise<void> {
		return this.lab.stop();
	}
}

const isUp = new RegExp(`${network.peer}: State changed to up`);
