import type { BirdPeer } from "../../src/model/bird.ts";
import type { Settings } from "../../src/model/settings.ts";
import type { Status } from "../../src/model/status.ts";
import { parseLastError } from "../../src/system/bird/last-error.ts";
import type { Action } from "../../src/warden/actions.ts";
import type { WardenEvent } from "../../src/warden/events.ts";
import { initialState, type WardenState } from "../../src/warden/state.ts";
import { statusOf } from "../../src/warden/status.ts";
import { nextDeadline, step } from "../../src/warden/warden.ts";

export const settings: Settings = {
	table: "custom_bgp",
	scope: "any",
	forwarded: false,
	protect: true,
	bypassMark: 0x2024,
	routeMark: 0,
	remediate: true,
	pollInterval: 15,
	peers: [],
	addresses: [],
	interfaces: new Map(),
	speakers: new Map(),
	ports: [],
};

export const nft = { process: "nft", pid: 4711 };

/** A peer whose last error is in BIRD's words. */
export type TestPeer = Omit<BirdPeer, "lastError"> & { readonly lastError?: string };

/** A reading's peer; Established unless told otherwise. */
export function peer(changes: Partial<TestPeer> = {}): TestPeer {
	return { name: "waukeen", protocolState: "up", state: "Established", bfd: "up", ...changes };
}

export function reading(...peers: TestPeer[]): WardenEvent {
	const parsed = peers.map(({ lastError, ...rest }) =>
		lastError === undefined ? rest : { ...rest, lastError: parseLastError(lastError) },
	);
	return { type: "bird_read", reading: { version: "3.1.8", peers: parsed } };
}

/** The warden in a test: events in, actions out, at times that the test chooses. */
export class Story {
	state: WardenState;
	/** Monotonic milliseconds. */
	time = 1000;
	/** Wall clock at monotonic 0. */
	wall = Date.UTC(2026, 10, 24, 3, 0, 0);

	constructor(changes: Partial<Settings> = {}) {
		this.state = initialState({ ...settings, ...changes }, this.now());
	}

	/** A warden whose table is installed and known, with nothing under way; it was there already. */
	static kept(changes: Partial<Settings> = {}): Story {
		const story = new Story(changes);
		story.happens({ type: "watch_started" }, { type: "started" }, { type: "listed", text: "whole" });
		story.happens({ type: "own_transaction" }, { type: "installed" }, { type: "listed", text: "whole" });
		story.happens({ type: "flushed", deleted: 0, left: 0 });
		story.passes(5000);
		return story;
	}

	/** What everybody is shown. */
	get status(): Status {
		return statusOf(this.state, { version: "0", router: "gw", pid: 1 });
	}

	/** @returns the actions of all these events, in order */
	happens(...events: WardenEvent[]): Action[] {
		return events.flatMap((event) => {
			const { state, actions } = step(this.state, event, this.now());
			this.state = state;
			return actions;
		});
	}

	/** Lets time pass, with a tick at each deadline on the way. @returns what the ticks asked for */
	passes(milliseconds: number): Action[] {
		const end = this.time + milliseconds;
		const actions: Action[] = [];
		for (;;) {
			const deadline = nextDeadline(this.state);
			if (deadline === undefined || deadline > end) break;
			this.time = Math.max(this.time, deadline);
			actions.push(...this.happens({ type: "tick" }));
		}
		this.time = end;
		return actions;
	}

	private now() {
		return { monotonic: this.time, wall: this.wall + this.time };
	}
}

/** The types of actions, without log lines and looks at the firewall (test/warden/table/firewall.test.ts). */
export function types(actions: readonly Action[]): string[] {
	return actions
		.filter(({ type }) => type !== "log" && type !== "look_at_firewall")
		.map((action) => (action.type === "report" ? action.event : action.type));
}

export function logged(actions: readonly Action[]): string[] {
	return actions.flatMap((action) => (action.type === "log" ? action.text : []));
}

/** Lets time pass, a minute at most. */
export function untilInstall(story: Story): void {
	for (let quarter = 0; quarter < 240; quarter++) if (types(story.passes(250)).includes("install")) return;
}
