import type { Settings } from "../../../src/model/settings.ts";
import type { Status } from "../../../src/model/status.ts";
import type { Action } from "../../../src/warden/actions.ts";
import type { WardenEvent } from "../../../src/warden/events.ts";
import { initialState, type WardenState } from "../../../src/warden/state.ts";
import { statusOf } from "../../../src/warden/status.ts";
import { nextDeadline, step } from "../../../src/warden/warden.ts";
import { reading, settings, type TestPeer } from "../story.ts";

/** What the kernel has under the table's name. */
type Table = "none" | "ours" | "another";

/** Milliseconds that programs take, by turns. */
const DELAYS = [1, 4, 9, 30, 2, 250] as const;
/** Milliseconds until a monitor that has ended comes back. */
const MONITOR_AGAIN = 100;

export const foreigner = { process: "fw4", pid: 4711 };

/**
 * A router as the warden sees it: what it asks for is carried out after a while, and what comes of that are events. Whatever is
 * done to it from outside is a method here; the same can be done to a real router (test/lab/scenarios/model.lab.ts).
 */
export class World {
	/** Monotonic milliseconds. */
	time = 1000;
	table: Table = "none";
	owned = false;
	/** nft can be run. */
	nftWorks = true;
	/** The monitor runs, and shows what happens. */
	monitor = false;
	birdAnswers = true;
	peers: readonly TestPeer[] = [];
	released = false;
	readonly actions: { readonly at: number; readonly action: Action }[] = [];
	private state: WardenState;
	private wall = Date.UTC(2026, 10, 24);
	private pending: { readonly at: number; readonly happens: () => void }[] = [];
	private delay = 0;
	/** When the last install or release ends. */
	private protectedAt = 0;

	constructor(
		private readonly canOwn: boolean,
		changes: Partial<Settings> = {},
	) {
		this.state = initialState({ ...settings, ...changes }, this.now());
		this.startMonitor();
		this.send({ type: "started" });
		this.send({ type: "bird_up", version: "3.1.8" });
	}

	get status(): Status {
		return statusOf(this.state, { version: "0", router: "gw", pid: 1 });
	}

	/** Characters of the state as JSON. */
	get size(): number {
		const withMaps = (_: string, value: unknown) => (value instanceof Map ? [...value] : value);
		return JSON.stringify(this.state, withMaps).length;
	}

	passes(milliseconds: number): void {
		const end = this.time + milliseconds;
		for (;;) {
			const deadline = Math.max(this.time, nextDeadline(this.state) ?? Number.POSITIVE_INFINITY);
			const first = this.pending.reduce((least, { at }) => Math.min(least, at), Number.POSITIVE_INFINITY);
			const next = Math.min(deadline, first);
			if (next > end) break;
			this.time = next;
			const due = this.pending.find(({ at }) => at <= this.time);
			if (due) {
				this.pending = this.pending.filter((each) => each !== due);
				due.happens();
			} else this.send({ type: "tick" });
		}
		this.time = end;
	}

	/** Somebody else deletes or changes the table; the kernel refuses where it has an owner. */
	touch(touch: "deleted" | "changed"): void {
		if (this.owned || (touch === "changed" && this.table === "none")) return;
		this.table = touch === "deleted" ? "none" : "another";
		this.shows({ type: "table_touched", touch, actor: foreigner });
	}

	/** The process that owns the table is killed. */
	killOwner(): void {
		if (!this.owned) return;
		this.owned = false;
		this.send({ type: "owner_lost", reason: "killed" });
	}

	/** The monitor ends, and what happens until the next one is not shown. */
	killMonitor(): void {
		if (!this.monitor) return;
		this.monitor = false;
		this.send({ type: "watch_ended", reason: "nft monitor: killed" });
		this.later(MONITOR_AGAIN, () => this.startMonitor());
	}

	/** The kernel drops messages, somebody's change among them. */
	loseMessages(): void {
		if (!this.owned) this.table = "none";
		if (this.monitor) this.send({ type: "watch_gap" });
	}

	setBird(answers: boolean): void {
		if (answers === this.birdAnswers) return;
		this.birdAnswers = answers;
		this.send(answers ? { type: "bird_up", version: "3.1.8" } : { type: "bird_lost", reason: "no answer" });
	}

	setClock(milliseconds: number): void {
		this.wall += milliseconds;
	}

	command(verb: "ensure" | "flush" | "release" | "restart", peer?: string): void {
		if (verb === "release") this.released = true;
		if (verb === "ensure") this.released = false;
		this.send({ type: "command", command: { verb, ...(peer === undefined ? {} : { peer }), id: "1" } });
	}

	send(event: WardenEvent): void {
		const { state, actions } = step(this.state, event, this.now());
		this.state = state;
		for (const action of actions) {
			this.actions.push({ at: this.time, action });
			this.carryOut(action);
		}
	}

	private carryOut(action: Action): void {
		if (action.type === "replace_watch") this.killMonitor();
		const outcome = this.outcomeOf(action);
		if (!outcome) return;
		let at = this.time + this.nextDelay();
		// What is done with the table is done one after the other (system/nft/protection.ts).
		if (action.type === "install" || action.type === "release")
			this.protectedAt = at = Math.max(at, this.protectedAt + 1);
		this.later(at - this.time, outcome);
	}

	/** What comes of an action after a while. */
	private outcomeOf(action: Action): (() => void) | undefined {
		const event = (happens: WardenEvent) => () => this.send(happens);
		switch (action.type) {
			case "install":
				return () => this.install(action.own !== false);
			case "list":
				return () => this.list();
			case "release":
				return () => {
					this.owned = false;
					this.send({ type: "released", ids: action.ids });
				};
			case "flush":
				return event({ type: "flushed", deleted: 0, left: 0 });
			case "read_bird":
				return () => {
					if (this.birdAnswers) this.send(reading(...this.peers));
				};
			case "restart_peer":
				return event({ type: "peer_restarted", peer: action.peer, verb: action.verb });
			case "look_at_firewall":
				return event({
					type: "firewall_seen",
					includes: [],
					...(action.listing ? { table: "there" } : {}),
				});
			case "read_counters":
				return event({ type: "counters_read", counters: undefined });
			case "walk_ruleset":
				return event({ type: "ruleset_walked", obstacles: new Map() });
			case "inspect_peer": {
				const { address, zone } = action;
				return event({ type: "peer_inspected", address, zone, inspection: { flows: [] } });
			}
			default:
				return undefined;
		}
	}

	private install(own: boolean): void {
		if (!this.nftWorks) {
			this.send({ type: "install_failed", reason: "nft: not found" });
			return;
		}
		this.table = "ours";
		this.owned = own && this.canOwn && !this.released;
		const { owned } = this;
		// The monitor shows it before nft ends, or after.
		if (this.delay % 2 === 0) this.shows({ type: "own_transaction" });
		else this.later(3, () => this.shows({ type: "own_transaction" }));
		this.send({ type: "installed", owned });
	}

	private list(): void {
		if (!this.nftWorks) {
			this.send({ type: "list_failed", reason: "nft: not found" });
			return;
		}
		const text = this.table === "none" ? undefined : this.table === "ours" ? "whole" : "another";
		this.send({ type: "listed", text });
	}

	/** What the monitor shows, if there is one. */
	private shows(event: WardenEvent): void {
		if (this.monitor) this.send(event);
	}

	private startMonitor(): void {
		this.monitor = true;
		this.send({ type: "watch_started" });
	}

	private later(milliseconds: number, happens: () => void): void {
		this.pending.push({ at: this.time + milliseconds, happens });
		this.pending.sort((one, other) => one.at - other.at);
	}

	private nextDelay(): number {
		this.delay++;
		return DELAYS[this.delay % DELAYS.length] ?? 1;
	}

	private now() {
		return { monotonic: this.time, wall: this.wall + this.time };
	}
}
