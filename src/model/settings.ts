import type { MainConfig } from "./config.ts";
import type { Speaker } from "./speaker.ts";
import type { TableOptions } from "./table.ts";

/** The part of the configuration that decides what the warden does. */
export interface Settings extends TableOptions, Pick<MainConfig, "protect" | "remediate" | "pollInterval"> {
	/** The `config peer` sections. */
	readonly peers: readonly { readonly name: string }[];
	/** Who speaks, where a section says so; by the peer's name. */
	readonly speakers: ReadonlyMap<string, Speaker>;
	/** Addresses and ranges of `config peer` sections. */
	readonly addresses: readonly string[];
	/** The interface that leads to a peer, where a section says so; by the peer's name. */
	readonly interfaces: ReadonlyMap<string, string>;
	/** TCP ports of `config peer` sections. */
	readonly ports: readonly number[];
}
