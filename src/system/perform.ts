import type { Config } from "../model/config.ts";
import type { Platform } from "../platform/types.ts";
import type { Action } from "../warden/actions.ts";
import type { WardenEvent } from "../warden/events.ts";
import { restartPeer } from "./bird/restart.ts";
import { flushConntrack } from "./conntrack/flush.ts";
import { inspectPeer } from "./kernel/inspect-peer.ts";
import type { TableKeeper } from "./nft/keep-table.ts";
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
			| "read_counters"
			| "restart_peer";
	}
>;

/** What the programs need to know. */
export interface Programs {
	readonly platform: Platform;
	readonly nft: Nft;
	readonly table: TableKeeper;
	readonly monitor: Monitor;
	readonly config: Config;
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
			const result = await flushConntrack(platform);
			if (!result.ok) return [{ type: "flush_failed", reason: result.reason }];
			return [{ type: "flushed", deleted: result.deleted, left: result.left }];
		}
		case "inspect_peer": {
			const { address, zone } = action;
			const { routeMark } = config.main;
			const inspection = await inspectPeer(platform, { address, zone, routeMark });
			return [{ type: "peer_inspected", address, inspection }];
		}
		case "read_counters":
			return [{ type: "counters_read", counters: await nft.counters(config.main.table) }];
		case "restart_peer": {
			const { peer, id } = action;
			const result = await restartPeer(platform, { socket: config.main.birdSocket, peer });
			return [
				{
					type: "peer_restarted",
					peer,
					...(id === undefined ? {} : { id }),
					...(result.ok ? {} : { failure: result.reason }),
				},
			];
		}
	}
}
