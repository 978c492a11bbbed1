/**
 * Text of `nft monitor` about packets with `meta nftrace set 1` (nft(8), "MONITOR"; nftables, src/netlink.c,
 * `trace_print_*`). Each chain that a packet meets tells its header once and then each rule that matched, with the verdict:
 *
 *     trace id 345f56bb inet mihomo pre packet: iif "br-lan" … tcp sport 46942 tcp dport 179 tcp flags == syn …
 *     trace id 345f56bb inet mihomo pre rule tcp dport 179 tproxy ip to 127.0.0.1:7894 accept (verdict accept)
 *     trace id 345f56bb inet fw4 input policy drop meta mark 0x00000001
 *
 * Rules that were added after the monitor was started are `unknown rule handle 9 (verdict accept)`; see rules.ts.
 * No line is a packet's last, so `TraceCollector` waits until no more come.
 */

import { parseAddress } from "../../lib/address.ts";
import { wholeNumber } from "../../lib/number.ts";
import type { Hop, PacketTrace, TcpFlag, TracedPacket } from "../../model/packet-trace.ts";

export type TraceLine =
	| { readonly id: string; readonly kind: "packet"; readonly chain: string; readonly packet: TracedPacket }
	| { readonly id: string; readonly kind: "hop"; readonly hop: Hop }
	/** Another protocol's packet, or a line that tells neither. */
	| { readonly id: string; readonly kind: "other" };

const START = "trace id ";
const LINE =
	/^trace id ([0-9a-f]+) (\S+) (\S+) (\S+) (packet:|rule|unknown rule handle|policy|verdict) (.*)$/;
const ADDRESSES = /\bip6? saddr (\S+) ip6? daddr (\S+) /;
const PORTS = /\b(tcp|udp) sport (\d+) (?:tcp|udp) dport (\d+)(?: tcp flags (?:== )?(.+?) tcp window)?/;
const INTERFACE = /\b(iif|oif)(?:name)? "([^"]+)"/g;
const VERDICT_START = " (verdict ";
const VERDICT = /^([a-z]+)(?: ([^)]+))?\)$/;
const MARK = / meta mark (0x[0-9a-f]{1,8})\s*$/;
/** Bits of the flags byte (RFC 9293, section 3.1), as nft prints combinations that it has no name for. */
const FLAG_BITS: readonly (readonly [number, TcpFlag])[] = [
	[0x01, "fin"],
	[0x02, "syn"],
	[0x04, "rst"],
	[0x10, "ack"],
];

/** Whether a line belongs to a trace. */
export function isTraceLine(text: string): boolean {
	return text.startsWith(START);
}

/** @returns undefined for a line that is no trace line */
export function parseTraceLine(text: string): TraceLine | undefined {
	const match = LINE.exec(text);
	if (!match)
		return isTraceLine(text)
			? { id: text.slice(START.length).split(" ")[0] ?? "", kind: "other" }
			: undefined;
	const [, id = "", family = "", table = "", chain = "", kind, rest = ""] = match;
	if (kind === "packet:") {
		const packet = parsePacket(rest);
		return packet
			? { id, kind: "packet", chain: `${family} ${table} ${chain}`, packet }
			: { id, kind: "other" };
	}
	const at = { family, table, chain };
	if (kind === "policy")
		return { id, kind: "hop", hop: { ...at, ...withMark(rest), verdict: firstWord(rest), policy: true } };
	if (kind === "verdict")
		return { id, kind: "hop", hop: { ...at, ...withMark(rest), verdict: firstWord(rest) } };
	// The last one: a rule's comment may say the same, a thousand times.
	const end = rest.lastIndexOf(VERDICT_START);
	const [, word, target] = VERDICT.exec(end < 0 ? "" : rest.slice(end + VERDICT_START.length)) ?? [];
	const said = rest.slice(0, end);
	const handle = kind === "rule" ? undefined : wholeNumber(said);
	if (word === undefined || (kind !== "rule" && handle === undefined)) return { id, kind: "other" };
	const what = handle === undefined ? { rule: plainRule(said) } : { handle };
	return {
		id,
		kind: "hop",
		hop: { ...at, ...what, verdict: word, ...(target === undefined ? {} : { target }) },
	};
}

/** A rule without its counter's values. */
export function plainRule(text: string): string {
	return text.replace(/ counter packets \d+ bytes \d+/, " counter").trim();
}

function firstWord(text: string): string {
	return text.trim().split(" ")[0] ?? "";
}

function withMark(text: string): { mark?: number } {
	const mark = MARK.exec(text)?.[1];
	return mark === undefined ? {} : { mark: Number(mark) };
}

function parsePacket(text: string): TracedPacket | undefined {
	const addresses = ADDRESSES.exec(text);
	const ports = PORTS.exec(text);
	if (!addresses || !ports) return undefined;
	const [, protocol, , , flags] = ports;
	const [source, destination] = addresses.slice(1).map((each) => parseAddress(each)?.text);
	const [sourcePort, destinationPort] = ports.slice(2, 4).map((each) => wholeNumber(each, 65_535));
	if (source === undefined || destination === undefined) return undefined;
	if (sourcePort === undefined || destinationPort === undefined) return undefined;
	const interfaces: { iif?: string; oif?: string } = {};
	for (const [, side, name] of text.matchAll(INTERFACE))
		if (side === "iif" || side === "oif") interfaces[side] = name ?? "";
	return {
		protocol: protocol === "udp" ? "udp" : "tcp",
		...interfaces,
		...{ source, destination, sourcePort, destinationPort },
		flags: flags === undefined ? [] : parseFlags(flags),
	};
}

/** `syn`, `0x12`, `syn,ack`, `syn | ack`: nft's versions differ. */
function parseFlags(text: string): TcpFlag[] {
	const bits = /^0x[0-9a-f]+$/.test(text) ? Number(text) : undefined;
	const words = text.split(/[^a-z]+/);
	return FLAG_BITS.filter(([bit, name]) =>
		bits === undefined ? words.includes(name) : (bits & bit) !== 0,
	).map(([, name]) => name);
}

/** Packets traced at a time; of more, the oldest are dropped. */
const MOST_PACKETS = 64;
/** Hops kept of one packet; of more, the first are dropped. */
const MOST_HOPS = 64;

interface Open {
	readonly packet: TracedPacket;
	readonly first: number;
	last: number;
	readonly hops: Hop[];
}

/** Assembles the lines of traces into each packet's way through the ruleset. */
export class TraceCollector {
	private readonly open = new Map<string, Open>();

	/**
	 * @param now monotonic milliseconds
	 * @returns the packet, when this line is the first of a new one
	 */
	line(line: TraceLine, now: number): TracedPacket | undefined {
		const known = this.open.get(line.id);
		if (line.kind === "packet") {
			if (known) {
				known.last = now;
				return undefined;
			}
			if (this.open.size >= MOST_PACKETS) this.open.delete(this.open.keys().next().value ?? "");
			this.open.set(line.id, { packet: line.packet, first: now, last: now, hops: [] });
			return line.packet;
		}
		if (!known || line.kind === "other") return undefined;
		known.last = now;
		known.hops.push(line.hop);
		if (known.hops.length > MOST_HOPS) known.hops.shift();
		return undefined;
	}

	/** Whether a packet is under way. */
	get busy(): boolean {
		return this.open.size > 0;
	}

	/**
	 * Takes the packets about which nothing was said for `quiet` ms.
	 * @param now monotonic milliseconds
	 * @returns oldest first
	 */
	drain(now: number, quiet: number): PacketTrace[] {
		const done: PacketTrace[] = [];
		for (const [id, { packet, first, last, hops }] of this.open) {
			if (now - last < quiet) continue;
			this.open.delete(id);
			done.push({ id, at: first, packet, hops });
		}
		return done;
	}
}
