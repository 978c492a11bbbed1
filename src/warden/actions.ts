import type { LogLevel } from "../model/config.ts";
import type { Connection } from "../model/connection.ts";
import type { EventReport } from "../model/event.ts";
import type { WalkedPeer } from "../model/obstacle.ts";
import type { TableSpec } from "../model/table.ts";

/** Everything the warden can ask for. */
export type Action =
	/**
	 * Install the table in one transaction; answered by `installed` or `install_failed`.
	 * @property former tables by earlier names, removed in the same transaction
	 * @property own false: without an owner, even where one is possible
	 */
	| {
			readonly type: "install";
			readonly spec: TableSpec;
			readonly former: readonly string[];
			readonly own?: false;
	  }
	/** Leave the table in place for everybody to change; answered by `released`. */
	| { readonly type: "release"; readonly ids: readonly string[] }
	/** Answered by `listed` or `list_failed`. */
	| { readonly type: "list" }
	/** Answered by `firewall_seen`. @property listing whether to ask the kernel for fw4's table, which takes a process */
	| { readonly type: "look_at_firewall"; readonly listing: boolean }
	/** Answered by `flushed` or `flush_failed`. @property ports TCP ports of BGP */
	| { readonly type: "flush"; readonly ports: readonly number[] }
	/** Start another nft monitor in place of this one. */
	| { readonly type: "replace_watch"; readonly reason: string }
	/** Answered by `bird_read` or `bird_lost`. */
	| { readonly type: "read_bird" }
	/** Answered by `peer_restarted`. @property verb `enable` for a peer that BIRD has given up */
	| {
			readonly type: "restart_peer";
			readonly peer: string;
			readonly verb: "restart" | "enable";
			readonly id?: string;
	  }
	/**
	 * Tell a peer that connections are dead which it takes for established; answered by `half_open_reset`.
	 * @property zone the interface of a link-local peer
	 */
	| {
			readonly type: "reset_half_open";
			readonly peer: string;
			readonly connections: readonly Connection[];
			readonly zone?: string;
	  }
	/**
	 * Look at the kernel about a peer; answered by `peer_inspected`.
	 * @property ports TCP ports of BGP
	 * @property localAddress that BIRD is to use
	 * @property listen where BIRD could not listen; without an address: on all of the family
	 */
	| {
			readonly type: "inspect_peer";
			readonly address: string;
			readonly zone?: string;
			readonly ports: readonly number[];
			readonly localAddress?: string;
			readonly listen?: { readonly port: number; readonly address?: string };
	  }
	/** List the whole ruleset and send the peers' first packets through it; answered by `ruleset_walked`. */
	| { readonly type: "walk_ruleset"; readonly peers: readonly WalkedPeer[] }
	/** Answered by `counters_read`. */
	| { readonly type: "read_counters" }
	/** Answered by `services_read`, where there is procd. */
	| { readonly type: "read_services" }
	| { readonly type: "reply"; readonly id: string; readonly ok: boolean; readonly text: string }
	| ({ readonly type: "report" } & EventReport)
	| { readonly type: "log"; readonly level: LogLevel; readonly text: string };
