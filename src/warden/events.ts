import type { Actor } from "../model/actor.ts";
import type { BirdReading } from "../model/bird.ts";
import type { BirdConfiguration } from "../model/bird-configuration.ts";
import type { Command } from "../model/command.ts";
import type { Connection } from "../model/connection.ts";
import type { FirewallFacts } from "../model/firewall.ts";
import type { Counters, Inspection } from "../model/inspection.ts";
import type { Obstacle } from "../model/obstacle.ts";
import type { PacketTrace } from "../model/packet-trace.ts";
import type { ProblemKind } from "../model/problem.ts";
import type { ServiceEvent, ServiceProcess } from "../model/service.ts";
import type { Settings } from "../model/settings.ts";

/** Everything that happens to the warden. */
export type WardenEvent =
	| { readonly type: "started" }
	| { readonly type: "configured"; readonly settings: Settings }
	/** The nft monitor runs; what happened before may have been missed. */
	| { readonly type: "watch_started" }
	/** @property paused another one is started, but not soon */
	| { readonly type: "watch_ended"; readonly reason: string; readonly paused?: boolean }
	/** The kernel dropped monitor messages. */
	| { readonly type: "watch_gap" }
	/** Somebody else's transaction touched the table. */
	| { readonly type: "table_touched"; readonly touch: "deleted" | "changed"; readonly actor: Actor }
	/** The daemon's own transaction came by in the monitor. */
	| { readonly type: "own_transaction" }
	/** @property owned the kernel lets nobody else change it */
	| { readonly type: "installed"; readonly owned?: boolean }
	| { readonly type: "install_failed"; readonly reason: string }
	/** The table is in place, but the process that owned it has ended. */
	| { readonly type: "owner_lost"; readonly reason: string }
	/** The table was left to everybody, as it was asked for. */
	| { readonly type: "released"; readonly ids: readonly string[]; readonly failure?: string }
	/**
	 * @property text undefined: there is no such table
	 * @property peers the addresses that the listed table is for, with scope `peers`
	 * @property ports the TCP ports of BGP that it covers
	 */
	| {
			readonly type: "listed";
			readonly text: string | undefined;
			readonly peers?: readonly string[];
			readonly ports?: readonly number[];
	  }
	| { readonly type: "list_failed"; readonly reason: string }
	/** @property connections of those that were deleted, as the other side may still have them */
	| {
			readonly type: "flushed";
			readonly deleted: number;
			readonly left: number;
			readonly connections?: readonly Connection[];
	  }
	| { readonly type: "flush_failed"; readonly reason: string }
	/** A peer's SYN, FIN or RST went by. */
	| { readonly type: "session_sign" }
	/** Hosts that are no peers send more SYNs of BGP than are traced. */
	| { readonly type: "syn_flood" }
	/** A host that is no peer has sent a SYN to BGP's port. @property interface it came by */
	| { readonly type: "stranger_dialed"; readonly address: string; readonly interface?: string | undefined }
	/** Packets of BGP have gone their whole way through the ruleset. */
	| { readonly type: "packets_traced"; readonly traces: readonly PacketTrace[] }
	/**
	 * Somebody else changed rules of other tables, `family name`.
	 * @property firewall what that left of fw4's table, where it was added to or deleted
	 */
	| {
			readonly type: "ruleset_changed";
			readonly tables: readonly string[];
			readonly actor: Actor;
			readonly firewall?: "there" | "missing";
	  }
	/** @property table fw4's; absent: the kernel was not asked */
	| ({ readonly type: "firewall_seen"; readonly table?: "there" | "missing" } & FirewallFacts)
	/**
	 * @property obstacles in the way of each peer that was asked for, by its name; undefined: the ruleset cannot be listed
	 * @property unreviewed chains and tables that no peer was sent through, in words
	 */
	| {
			readonly type: "ruleset_walked";
			readonly obstacles: ReadonlyMap<string, readonly Obstacle[]> | undefined;
			readonly unreviewed?: readonly string[];
	  }
	| {
			readonly type: "peer_inspected";
			readonly address: string;
			readonly zone?: string | undefined;
			readonly inspection: Inspection;
	  }
	/** @property counters undefined: they could not be read */
	| { readonly type: "counters_read"; readonly counters: Counters | undefined }
	| { readonly type: "bird_up"; readonly version?: string }
	| { readonly type: "bird_lost"; readonly reason: string }
	| { readonly type: "bird_read"; readonly reading: BirdReading }
	/** BIRD's configuration file was read anew. @property configuration undefined: it cannot be read */
	| { readonly type: "bird_configured"; readonly configuration: BirdConfiguration | undefined }
	| {
			readonly type: "peer_restarted";
			readonly peer: string;
			readonly verb: "restart" | "enable";
			readonly id?: string;
			readonly failure?: string;
	  }
	/** @property reset how many of the connections the peer was told of */
	| {
			readonly type: "half_open_reset";
			readonly peer: string;
			readonly reset: number;
			readonly failure?: string;
	  }
	/** procd started or stopped a service, or one ended by itself; any service. */
	| ({ readonly type: "service" } & ServiceEvent)
	/** The processes that procd runs now. */
	| { readonly type: "services_read"; readonly processes: readonly ServiceProcess[] }
	| { readonly type: "command"; readonly command: Command }
	/** @property text undefined: it is solved */
	| { readonly type: "problem"; readonly kind: ProblemKind; readonly text: string | undefined }
	/** A time that `nextDeadline` named has come. */
	| { readonly type: "tick" };
