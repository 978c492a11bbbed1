import { parseAddress } from "../../lib/address.ts";
import type { Flow } from "../../model/flow.ts";
import type { Inspection, Neighbor } from "../../model/inspection.ts";
import { runToEnd } from "../../platform/supervise.ts";
import type { Platform } from "../../platform/types.ts";
import { filterOf } from "../conntrack/delete-filter.ts";
import { eachFlow } from "../conntrack/list-flows.ts";
import { parseNeighbors } from "./ip-text.ts";
import { findListener } from "./listeners.ts";
import { connectedNetwork } from "./networks.ts";
import { askRoute, type RouteTarget } from "./route.ts";
import { type RouterAddresses, readAddresses } from "./router-addresses.ts";

/** Milliseconds until a program that does not end is killed. */
const PATIENCE = 2000;
/** Conntrack entries that are kept as evidence of each peer, and peers of which they are. */
const MOST_FLOWS = { each: 4, peers: 4096 } as const;
/** Milliseconds for which what was read of the kernel as a whole serves all peers. */
const FRESH = 1000;
/** With more peers waiting than this, there is a pause of this many milliseconds after each, and none is sent a packet. */
const MANY = { peers: 16, pause: 20 } as const;

/** What is to be asked about a peer. */
export interface InspectionTarget extends RouteTarget {
	/** TCP ports of BGP. */
	readonly ports: readonly number[];
	/** The address that BIRD is to use, canonical text. */
	readonly localAddress?: string | undefined;
	/** Where BIRD could not listen: who does? Without an address: on all of the family. */
	readonly listen?: { readonly port: number; readonly address?: string } | undefined;
}

/** What is read once for all peers. What could not be read is absent. */
interface Snapshot {
	readonly at: number;
	readonly ports: string;
	readonly addresses?: RouterAddresses;
	/** By the other end's address. */
	readonly flows?: ReadonlyMap<string, readonly Flow[]>;
	/** By family's option of `ip`; asked for when first wanted. */
	readonly neighbors: Map<string, Promise<ReadonlyMap<string, readonly Neighbor[]> | undefined>>;
}

/**
 * Asks the kernel about peers that are down, one after the other: the route to each, its neighbor entry, conntrack's entries of
 * BGP with it, and whether this router is what BIRD takes it for. What is the same for all is read once.
 */
export class Inspector {
	/** By address and zone. */
	private readonly waiting = new Map<
		string,
		{ readonly target: InspectionTarget; readonly settle: ((inspection: Inspection) => void)[] }
	>();
	private running = false;
	private snapshot: Promise<Snapshot> | undefined;

	constructor(private readonly platform: Platform) {}

	/**
	 * Asks about a peer, after those that wait already; who waits already is asked about once.
	 * @returns never a rejection; what could not be asked is absent
	 */
	inspect(target: InspectionTarget): Promise<Inspection> {
		const key = `${target.address}%${target.zone ?? ""}`;
		return new Promise((resolve) => {
			const known = this.waiting.get(key);
			this.waiting.set(key, { target, settle: [...(known?.settle ?? []), resolve] });
			if (this.running) return;
			this.running = true;
			void this.run();
		});
	}

	private async run(): Promise<void> {
		for (;;) {
			const [first] = this.waiting;
			if (!first) break;
			const [key, { target, settle }] = first;
			this.waiting.delete(key);
			const inspection = await this.ask(target).catch((): Inspection => ({}));
			for (const each of settle) each(inspection);
			if (this.waiting.size > MANY.peers)
				await new Promise<void>((resolve) => this.platform.after(MANY.pause, resolve));
		}
		this.running = false;
		this.snapshot = undefined;
	}

	private async ask(target: InspectionTarget): Promise<Inspection> {
		const { address, zone, localAddress, listen } = target;
		const [host = "", bits] = address.split("/");
		const parsed = parseAddress(host);
		if (!parsed) return {};
		const snapshot = await this.fresh(target.ports);
		const { addresses, flows } = snapshot;
		// Nobody has a route to a whole range.
		const isRange = bits !== undefined;
		const path = isRange ? {} : await this.askPath(target, snapshot);
		const network = isRange || !addresses ? undefined : connectedNetwork(addresses.networks, parsed, zone);
		const listener = listen && findListener(this.platform.files, { family: parsed.family, ...listen });
		return {
			...path,
			...(isRange || !flows ? {} : { flows: flows.get(parsed.text) ?? [] }),
			...(network === undefined ? {} : { network }),
			...(localAddress === undefined || !addresses
				? {}
				: { hasLocalAddress: addresses.isLocal(localAddress) }),
			...(listener === undefined ? {} : { listener }),
		};
	}

	private async fresh(ports: readonly number[]): Promise<Snapshot> {
		const known = await this.snapshot;
		const now = this.platform.now().monotonic;
		if (known && now - known.at < FRESH && known.ports === ports.join()) return known;
		this.snapshot = this.read(ports, now);
		return this.snapshot;
	}

	private async read(ports: readonly number[], at: number): Promise<Snapshot> {
		const found = await readAddresses(this.platform);
		const neighbors: Snapshot["neighbors"] = new Map();
		if (typeof found === "string") return { at, ports: ports.join(), neighbors };
		const flows = new Map<string, Flow[]>();
		const failure = await eachFlow(this.platform, ports, (flow) => {
			// What merely passes through this router stays tracked.
			if (flow.protocol !== "tcp" || filterOf(flow, found.isLocal, ports) === undefined) return;
			for (const end of [flow.original.source, flow.original.destination]) {
				if (found.isLocal(end)) continue;
				const known = flows.get(end);
				if (!known) {
					if (flows.size < MOST_FLOWS.peers) flows.set(end, [flow]);
				} else if (known.length < MOST_FLOWS.each) known.push(flow);
			}
		});
		return {
			at,
			ports: ports.join(),
			addresses: found,
			...(failure === undefined ? { flows } : {}),
			neighbors,
		};
	}

	private async askPath(target: RouteTarget, snapshot: Snapshot): Promise<Inspection> {
		const asked = await askRoute(this.platform, target);
		const { route } = asked;
		if (!route) return asked;
		const { address, zone } = target;
		const next = route.gateway ?? address;
		const family = next.includes(":") ? "-6" : "-4";
		const listing = snapshot.neighbors.get(family) ?? this.listNeighbors([family]);
		snapshot.neighbors.set(family, listing);
		let neighbor = entryOf(await listing, next, route.interface);
		if ((neighbor === "none" || neighbor?.state === "STALE") && this.isQuiet) {
			// It was there once, or the kernel has forgotten it, as it forgets within 15 s who did not answer. One packet has the
			// kernel find out.
			const from = zone === undefined ? [] : ["-I", zone];
			await runToEnd(this.platform, ["ping", "-c", "1", "-W", "1", ...from, next], {
				timeout: PATIENCE,
				limit: 4096,
			});
			const again = await this.listNeighbors([family, "to", next]);
			neighbor = entryOf(again, next, route.interface);
		}
		return { route, ...(neighbor === undefined ? {} : { neighbor }) };
	}

	private get isQuiet(): boolean {
		return this.waiting.size <= MANY.peers;
	}

	/** @param which family, and what else `ip neigh show` is to know */
	private async listNeighbors([family = "-4", ...which]: readonly string[]) {
		const argv = ["ip", family, "neigh", "show", ...which] as [string, ...string[]];
		const { status, stdout } = await runToEnd(this.platform, argv, { timeout: PATIENCE });
		return "code" in status && status.code === 0 ? parseNeighbors(stdout) : undefined;
	}
}

function entryOf(
	neighbors: ReadonlyMap<string, readonly Neighbor[]> | undefined,
	address: string,
	device: string,
): Neighbor | "none" | undefined {
	if (!neighbors) return undefined;
	const entries = neighbors.get(address) ?? [];
	return entries.find((entry) => entry.interface === device) ?? entries[0] ?? "none";
}
