import type { Config } from "../model/config.ts";
import type { Platform } from "../platform/types.ts";
import { findObstacles, unreviewed } from "../ruleset/obstacles.ts";
import type { Action } from "../warden/actions.ts";
import type { WardenEvent } from "../warden/events.ts";
import { restartPeer } from "./bird/restart.ts";
import { flushConntrack } from "./conntrack/flush.ts";
import type { Inspector } from "./kernel/inspector.ts";
import { hostIn } from "./kernel/networks.ts";
import { readAddresses } from "./kernel/router-addresses.ts";
import { resetHalfOpen } from "./nft/half-open-reset.ts";
import type { TableKeeper } from "./nft/keep-table.ts";
import { listRuleset } from "./nft/list-ruleset.ts";
import type { Monitor } from "./nft/monitor.ts";
import type { Nft } from "./nft/nft.ts";

/** The actions that a program carries out and that end by themselves. */
export type ProgramAction = Extract<
	Action,
	{
		type:
			| "install"
			| "list"
			| "release"
			| "look_at_firewall"
			| "flush"
			| "inspect_peer"
			| "walk_ruleset"
			| "read_counters"
			| "restart_peer"
			| "reset_half_open";
	}
>;

/** Bytes of a ruleset that the daemon reads: a router with larger sets is told what rules do, not what sets hold. */
const DAEMON_LISTING = 2 << 20;

/** What the programs need to know. */
export interface Programs {
	readonly platform: Platform;
	readonly nft: Nft;
	readonly table: TableKeeper;
	readonly inspector: Inspector;
	readonly monitor: Monitor;
	readonly config: Config;
	/** Whether BIRD takes a peer's session for Established, as it was read last. */
	isUp(peer: string): boolean;
}

/** Carries out an action. @returns what came of it */
export async function perform(action: ProgramAction, programs: Programs): Promise<readonly WardenEvent[]> {
	const { platform, nft, table, config } = programs;
	switch (action.type) {
		case "install":
			return table.install(action, programs.monitor);
		case "list":
			return [await table.list(config.main.table), ...table.checkFile()];
		case "release":
			return [await table.release(action.ids)];
		case "look_at_firewall":
			return [await table.look(config.main.table, action.listing)];
		case "flush": {
			const result = await flushConntrack(platform, action.ports);
			if (!result.ok) return [{ type: "flush_failed", reason: result.reason }];
			const { deleted, left, connections } = result;
			return [{ type: "flushed", deleted, left, connections }];
		}
		case "inspect_peer": {
			const { type: _, ...target } = action;
			const { address, zone } = target;
			const { routeMark } = config.main;
			const inspection = await programs.inspector.inspect({ ...target, routeMark });
			return [{ type: "peer_inspected", address, zone, inspection }];
		}
		case "walk_ruleset": {
			const [ruleset, addresses] = await Promise.all([
				listRuleset(platform, DAEMON_LISTING),
				readAddresses(platform),
			]);
			if ("reason" in ruleset) return [{ type: "ruleset_walked", obstacles: undefined }];
			const peers = action.peers.flatMap((peer) => {
				// Any host of a range may dial: one stands for all. Without one nothing is looked at.
				const isRange = peer.address.includes("/");
				const host = !isRange
					? peer
					: typeof addresses === "string"
						? undefined
						: hostIn(addresses, peer.address);
				return host ? [{ ...peer, address: host.address, interface: peer.interface ?? host.interface }] : [];
			});
			const { table } = config.main;
			const obstacles = new Map(peers.map((peer) => [peer.name, findObstacles(ruleset, peer, table)]));
			const links = peers.map((peer) => peer.interface);
			return [{ type: "ruleset_walked", obstacles, unreviewed: unreviewed(ruleset, links) }];
		}
		case "read_counters":
			return [{ type: "counters_read", counters: await nft.counters(config.main.table) }];
		case "reset_half_open": {
			const { peer, connections, zone } = action;
			const result = await resetHalfOpen(platform, nft, { ...config.main, connections, zone });
			return [
				result.ok
					? { type: "half_open_reset", peer, reset: result.reset }
					: { type: "half_open_reset", peer, reset: 0, failure: result.reason },
			];
		}
		case "restart_peer": {
			const { peer, id, verb } = action;
			// What the daemon decided a while ago is not to hit a session that has come up since; a person's word is obeyed.
			const isWanted = id === undefined ? { isWanted: () => !programs.isUp(peer) } : {};
			const { birdSocket: socket } = config.main;
			const result = await restartPeer(platform, { socket, peer, verb, ...isWanted });
			return [
				{
					type: "peer_restarted",
					peer,
					verb,
					...(id === undefined ? {} : { id }),
					...(result.ok ? {} : { failure: result.reason }),
				},
			];
		}
	}
}
