import type { Turn } from "../turn.ts";
import { look } from "./look-at-firewall.ts";
import { cancelScheduled, install, list } from "./requests.ts";

/** First of all: what is there now? The answer starts the first install. */
export function startTable(turn: Turn): void {
	look(turn, true);
	list(turn);
}

/**
 * Installs the table because what it should be has changed, not because it was lost.
 * @param ids `ensure` commands that are answered then
 */
export function reinstall(turn: Turn, ids: readonly string[] = []): void {
	turn.table({ reference: undefined, mismatches: 0, waiting: [...turn.state.table.waiting, ...ids] });
	if (turn.state.table.phase !== "starting") install(turn);
}

/** Has the table listed, and repaired if need be; the answers go to these `ensure` commands. */
export function ensureTable(turn: Turn, ids: readonly string[]): void {
	turn.table({ waiting: [...turn.state.table.waiting, ...ids] });
	look(turn, true);
	if (turn.state.table.phase === "kept" && !turn.state.table.loss) list(turn);
}

/**
 * With scope `peers`: the addresses of the configuration, of BIRD's neighbors and of its ranges, sorted. The nodes of a range
 * are covered by it: they come and go.
 * @param others that are to be kept as well
 */
export function tableAddresses({ state }: Turn, others: readonly string[] = []): string[] {
	const neighbors = [...state.peers.values()].flatMap((record) =>
		record.range === undefined ? (record.peer.neighborAddress ?? record.peer.neighborRange ?? []) : [],
	);
	return [...new Set([...state.settings.addresses, ...neighbors, ...others])].sort();
}

/**
 * Others send SYNs of BGP without end, and the limit of what is traced leaves nothing for peers: they get one of their own. As
 * long as nobody does, the table is the same whoever the peers are.
 */
export function tracePeers(turn: Turn): void {
	const { settings, table } = turn.state;
	const traced = tableAddresses(turn);
	if (settings.scope !== "any" || traced.length === 0 || traced.join() === table.traced.join()) return;
	turn.table({ traced });
	turn.log("warn", "many SYNs of BGP come from hosts that are no peers; peers are traced apart from now on");
	reinstall(turn);
}

/** A person wants to change the table, or be rid of it: from now on it is neither owned nor repaired. */
export function releaseTable(turn: Turn, ids: readonly string[]): void {
	const { waiting, watch } = turn.state.table;
	turn.reply(waiting, false, `table inet ${turn.state.settings.table} is released`);
	cancelScheduled(turn);
	turn.table({ released: true, loss: undefined, waiting: [] });
	if (watch.is === "on") turn.table({ watch: { ...watch, unproven: false } });
	turn.do({ type: "release", ids });
}

export function released(turn: Turn, ids: readonly string[], failure: string | undefined): void {
	const name = `table inet ${turn.state.settings.table}`;
	if (!turn.state.table.released) {
		turn.reply(ids, false, `${name} is protected again, by a later command`);
		return;
	}
	turn.table({ owned: false });
	turn.problem("released", `${name} was released on request; bgpwarden ensure protects it again`, "info");
	if (failure !== undefined) turn.reply(ids, false, failure);
	else
		turn.reply(ids, true, `${name} is released: anybody can change it; bgpwarden ensure protects it again`);
}

/** The table is the daemon's again; whoever calls this has it listed or installed. */
export function endRelease(turn: Turn): void {
	turn.table({ released: undefined });
	turn.problem("released", undefined);
}
