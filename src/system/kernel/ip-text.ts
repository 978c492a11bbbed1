import { type Address, isInterfaceName, parseAddress } from "../../lib/address.ts";
import type { Neighbor, Route } from "../../model/inspection.ts";

/**
 * `ip route get ADDRESS`, e.g. `192.168.1.2 dev tailscale0 table 52 src 192.168.1.1 uid 0`.
 * @returns undefined when it is no route
 */
export function parseRoute(text: string): Route | undefined {
	const [line = ""] = text.split("\n");
	const words = line.trim().split(/\s+/);
	const after = (word: string) => {
		const at = words.indexOf(word, 1);
		return at < 0 ? undefined : words[at + 1];
	};
	const device = after("dev") ?? "";
	const via = after("via");
	const gateway = parseAddress((via === "inet6" || via === "inet" ? after(via) : via) ?? "")?.text;
	// A next hop that cannot be read does not put the peer on the link.
	if (!isInterfaceName(device) || (via !== undefined && gateway === undefined)) return undefined;
	const table = after("table");
	const source = parseAddress(after("src") ?? "")?.text;
	return {
		interface: device,
		...(gateway === undefined ? {} : { gateway }),
		...(source === undefined ? {} : { source }),
		...(table === undefined || table === "main" || table === "local" ? {} : { table }),
	};
}

/** Why `ip route get` found none, out of its standard error, e.g. `RTNETLINK answers: Network is unreachable`. */
export function parseNoRoute(complaint: string): string | undefined {
	return /RTNETLINK answers: (.+)$/.exec(complaint.trim())?.[1];
}

const STATES = /\b(REACHABLE|STALE|DELAY|PROBE|FAILED|INCOMPLETE|PERMANENT|NOARP|NONE)\b/;

/** `ip neigh show`: by address, its entries, one on each link. */
export function parseNeighbors(text: string): ReadonlyMap<string, readonly Neighbor[]> {
	const found = new Map<string, Neighbor[]>();
	for (const line of text.split("\n")) {
		const address = parseAddress(line.split(" ", 1)[0] ?? "")?.text;
		const [, device = ""] = / dev (\S+)/.exec(line) ?? [];
		const state = STATES.exec(line)?.[1];
		if (address === undefined || state === undefined || !isInterfaceName(device)) continue;
		const known = found.get(address);
		if (known) known.push({ interface: device, state });
		else found.set(address, [{ interface: device, state }]);
	}
	return found;
}

/** An address of the router's, on one of its interfaces. */
export interface InterfaceAddress {
	readonly interface: string;
	readonly address: Address;
	/** Bits of the network's prefix. */
	readonly length: number;
}

/** `ip -o addr show`, of iproute2 or busybox: `2: br-lan    inet 192.168.1.1/24 brd 192.168.1.255 scope global br-lan`. */
export function parseAddresses(text: string): InterfaceAddress[] {
	return text.split("\n").flatMap((line) => {
		const [, device = "", own = "", far, bits] =
			/^\d+: (\S+)\s+inet6? ([0-9a-fA-F.:]+)(?: peer ([0-9a-fA-F.:]+))?(?:\/(\d{1,3}))? /.exec(line) ?? [];
		const address = parseAddress(own);
		if (!address || !isInterfaceName(device)) return [];
		const most = address.bytes.length * 8;
		// The network is the other end's; the router is in it with nothing but its own address.
		const length = far !== undefined || bits === undefined ? most : Number(bits);
		return length <= most ? [{ interface: device, address, length }] : [];
	});
}
