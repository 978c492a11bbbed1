import type { Moment } from "../lib/clock.ts";
import type { LogLevel } from "../model/config.ts";
import type { ProblemKind } from "../model/problem.ts";
import type { Action } from "./actions.ts";
import type { AddressEvidence, EvidenceState } from "./diagnosis/evidence.ts";
import type { PeerRecord } from "./peer-record.ts";
import type { BirdState, FlushState, ServicesState, WardenState } from "./state.ts";
import type { TableState } from "./table/table-state.ts";

/** Absent optional properties can be taken away by giving them as undefined. */
type Changes<Part> = { [Key in keyof Part]?: Part[Key] | undefined };

/** One event being dealt with: the state as it becomes, and the actions so far. */
export class Turn {
	readonly actions: Action[] = [];
	/** Copies that this turn may change: one for all of its changes, since there may be a thousand peers. */
	private ownPeers: Map<string, PeerRecord> | undefined;
	private ownAddresses = new Map<string, AddressEvidence>();

	constructor(
		public state: WardenState,
		readonly now: Moment,
	) {}

	get time(): number {
		return this.now.monotonic;
	}

	table(changes: Changes<TableState>): void {
		this.state = { ...this.state, table: merge(this.state.table, changes) };
	}

	flush(changes: Changes<FlushState>): void {
		this.state = { ...this.state, flush: merge(this.state.flush, changes) };
	}

	bird(changes: Changes<BirdState>): void {
		this.state = { ...this.state, bird: merge(this.state.bird, changes) };
	}

	services(changes: Changes<ServicesState>): void {
		this.state = { ...this.state, services: merge(this.state.services, changes) };
	}

	evidence(changes: Changes<EvidenceState>): void {
		this.state = { ...this.state, evidence: merge(this.state.evidence, changes) };
	}

	/** Evidence about one address. */
	evidenceOf(address: string, changes: Changes<AddressEvidence>): void {
		if (this.state.evidence.addresses !== this.ownAddresses) {
			this.ownAddresses = new Map(this.state.evidence.addresses);
			this.evidence({ addresses: this.ownAddresses });
		}
		this.ownAddresses.set(address, merge(this.ownAddresses.get(address) ?? {}, changes));
	}

	/** All of them at once. */
	peers(peers: Map<string, PeerRecord>): void {
		this.ownPeers = peers;
		this.state = { ...this.state, peers };
	}

	peer(name: string, record: PeerRecord): void {
		if (this.state.peers.get(name) === record) return;
		if (this.state.peers !== this.ownPeers) {
			this.ownPeers = new Map(this.state.peers);
			this.state = { ...this.state, peers: this.ownPeers };
		}
		this.ownPeers.set(name, record);
	}

	/** @param text undefined: the problem is solved; @param level how grave it is */
	problem(kind: ProblemKind, text: string | undefined, level: LogLevel = "error"): void {
		const known = this.state.problems[kind];
		if (known === text) return;
		this.state = { ...this.state, problems: merge(this.state.problems, { [kind]: text }) };
		if (text !== undefined) this.log(level, text);
		else this.log("info", `resolved: ${known}`);
	}

	do(action: Action): void {
		this.actions.push(action);
	}

	log(level: LogLevel, text: string): void {
		this.actions.push({ type: "log", level, text });
	}

	reply(ids: readonly string[], ok: boolean, text: string): void {
		for (const id of ids) this.actions.push({ type: "reply", id, ok, text });
	}
}

function merge<Part extends object>(part: Part, changes: Changes<Part>): Part {
	const merged: Record<string, unknown> = { ...part, ...changes };
	for (const key of Object.keys(changes)) if (merged[key] === undefined) delete merged[key];
	return merged as Part;
}
