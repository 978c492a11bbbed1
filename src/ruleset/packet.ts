import type { Expression, Hook, Value } from "../model/ruleset.ts";

/** A packet that might be, at this router. */
export interface Packet {
	readonly family: 4 | 6;
	readonly protocol: "tcp" | "udp";
	/** 4 or 16 bytes; absent: not known. */
	readonly source?: readonly number[];
	readonly destination?: readonly number[];
	/** Absent: one that the sender's kernel chose (`EPHEMERAL`). */
	readonly sourcePort?: number;
	readonly destinationPort?: number;
	/** TCP's flags as bits; see `TCP_FLAGS`. */
	readonly flags?: number;
}

/** How a packet comes or goes, and what conntrack would make of it if nothing hid it from conntrack. */
export interface Journey {
	readonly packet: Packet;
	/** `in`: prerouting, input. `out`: output, postrouting. `through`: prerouting, forward, postrouting. */
	readonly direction: "in" | "out" | "through";
	/** The interface it comes or goes by; of a forwarded packet, the one it comes by; absent: not known. */
	readonly interface?: string;
	/** The interface that a forwarded packet goes by. */
	readonly outInterface?: string;
	readonly tracked: "new" | "established" | "invalid";
}

/** Ports that a client gets; Linux takes 32768 to 60999, others start at 1024. */
const EPHEMERAL = { from: 1024, to: 65_535 } as const;

/** RFC 9293 section 3.1. */
export const TCP_FLAGS: Readonly<Record<string, number>> = {
	fin: 1,
	syn: 2,
	rst: 4,
	psh: 8,
	ack: 16,
	urg: 32,
	ecn: 64,
	cwr: 128,
};

/** linux/netfilter/nf_conntrack_common.h, NF_CT_STATE_BIT. */
export const CT_STATES: Readonly<Record<string, number>> = {
	invalid: 1,
	established: 2,
	related: 4,
	new: 8,
	untracked: 64,
};

/** What is known of an expression's value at one moment. */
export type Known =
	| { readonly kind: "value"; readonly value: Value; readonly symbols?: Readonly<Record<string, number>> }
	/** Somewhere in between, the ends included. */
	| { readonly kind: "between"; readonly from: number; readonly to: number }
	| { readonly kind: "concat"; readonly parts: readonly Known[] }
	/** The packet has no such thing, and the kernel ends the rule there (NFT_BREAK). */
	| { readonly kind: "absent" }
	| { readonly kind: "unknown" };

const ABSENT: Known = { kind: "absent" };
const UNKNOWN: Known = { kind: "unknown" };

/** What a packet carries along and rules may change. */
export interface Situation {
	readonly journey: Journey;
	hook: Hook;
	/** Undefined: a rule that may have matched changed it. */
	mark: number | undefined;
	/** conntrack's opinion; undefined: not known. */
	state: "new" | "established" | "invalid" | "untracked" | undefined;
}

/** The value of an expression for a packet, as the kernel's nft_payload, nft_meta, nft_ct and nft_fib would load it. */
export function evaluate(expression: Expression, situation: Situation): Known {
	switch (expression.kind) {
		case "payload":
			return payload(expression.protocol, expression.field, situation.journey.packet);
		case "raw":
			return raw(expression.base, expression.offset, expression.length, situation.journey.packet);
		case "meta":
			return meta(expression.key, situation);
		case "ct":
			return connection(expression.key, situation);
		case "fib":
			return route(expression.result, expression.flags, situation.journey.direction);
		case "socket":
			// What is for another host has no socket here.
			if (situation.journey.direction === "through") return ABSENT;
			// BIRD's socket is no transparent one, nor is there one yet for a packet that opens a connection.
			return expression.key === "transparent" ? known(0) : UNKNOWN;
		case "concat": {
			const parts = expression.parts.map((part) => evaluate(part, situation));
			return parts.some(({ kind }) => kind === "absent") ? ABSENT : { kind: "concat", parts };
		}
		case "binary":
			return binary(expression, situation);
		case "value":
			return known(expression.value);
		case "unknown":
			return UNKNOWN;
	}
}

function known(value: Value | undefined, symbols?: Readonly<Record<string, number>>): Known {
	if (value === undefined) return UNKNOWN;
	return symbols ? { kind: "value", value, symbols } : { kind: "value", value };
}

const LINK_LAYERS: ReadonlySet<string> = new Set(["ether", "vlan"]);
const PROTOCOL_NUMBERS = { tcp: 6, udp: 17 } as const;

function payload(protocol: string, field: string, packet: Packet): Known {
	if (protocol === "ip" || protocol === "ip6") {
		if (packet.family !== (protocol === "ip" ? 4 : 6)) return ABSENT;
		if (field === "saddr") return known(packet.source);
		if (field === "daddr") return known(packet.destination);
		if (field === "protocol" || field === "nexthdr")
			return known(PROTOCOL_NUMBERS[packet.protocol], PROTOCOL_NUMBERS);
		return UNKNOWN;
	}
	if (protocol === "th" || protocol === packet.protocol) {
		if (field === "sport") return port(packet.sourcePort);
		if (field === "dport") return port(packet.destinationPort);
		if (field === "flags" && packet.protocol === "tcp") return known(packet.flags, TCP_FLAGS);
		return UNKNOWN;
	}
	return LINK_LAYERS.has(protocol) ? UNKNOWN : ABSENT;
}

function port(number: number | undefined): Known {
	return number === undefined ? { kind: "between", ...EPHEMERAL } : known(number);
}

/** By position in the transport header, as rules are listed that another program than nft made. */
function raw(base: string, offset: number, length: number, packet: Packet): Known {
	if (base !== "th") return UNKNOWN;
	if (offset === 0 && length === 16) return port(packet.sourcePort);
	if (offset === 16 && length === 16) return port(packet.destinationPort);
	if (offset === 104 && length === 8 && packet.protocol === "tcp") return known(packet.flags, TCP_FLAGS);
	return UNKNOWN;
}

function meta(key: string, { journey, hook, mark }: Situation): Known {
	const { packet, direction } = journey;
	/** Before it is routed, a packet leaves by no interface. */
	const early = hook === "ingress" || hook === "prerouting";
	const receiving = direction !== "out";
	const leaving = direction === "out" || (direction === "through" && !early);
	switch (key) {
		case "iif":
		case "iifname":
			// A packet of the router's own has come by no interface, and its name then is empty.
			return known(receiving ? journey.interface : "");
		case "oif":
		case "oifname":
			return known(leaving ? (journey.outInterface ?? journey.interface) : "");
		case "iifgroup":
		case "iiftype":
		case "sdif":
		case "sdifname":
			return receiving ? UNKNOWN : ABSENT;
		case "oifgroup":
		case "oiftype":
			return leaving ? UNKNOWN : ABSENT;
		case "mark":
			return known(mark);
		case "nfproto":
			return known(packet.family === 4 ? "ipv4" : "ipv6");
		case "protocol":
			return known(packet.family === 4 ? "ip" : "ip6");
		case "l4proto":
			return known(PROTOCOL_NUMBERS[packet.protocol], PROTOCOL_NUMBERS);
		case "pkttype":
			return receiving ? known("host") : UNKNOWN;
		case "nftrace":
			return UNKNOWN;
		case "skuid":
		case "skgid":
		case "cgroup":
			// A packet that opens a connection has no owner yet; the answer has the listener's.
			return direction === "through" || (receiving && (packet.protocol === "tcp" || hook === "prerouting"))
				? ABSENT
				: UNKNOWN;
		default:
			return UNKNOWN;
	}
}

/** Without a connection only the state can be asked (net/netfilter/nft_ct.c, nft_ct_get_eval). */
function connection(key: string, { state }: Situation): Known {
	if (key === "state") return state === undefined ? UNKNOWN : known(CT_STATES[state], CT_STATES);
	if (state === "untracked" || state === "invalid") return ABSENT;
	if (state === "established" && key === "direction") return known("reply");
	if (state !== "new") return UNKNOWN;
	if (key === "mark" || key === "status") return known(0, key === "status" ? CT_STATUS : undefined);
	return key === "direction" ? known("original") : UNKNOWN;
}

/** linux/netfilter/nf_conntrack_common.h, enum ip_conntrack_status. */
const CT_STATUS: Readonly<Record<string, number>> = {
	expected: 1,
	"seen-reply": 2,
	assured: 4,
	confirmed: 8,
	snat: 16,
	dnat: 32,
	dying: 512,
};

/** Only kinds of addresses: what comes is for this router, what goes is for a neighbor, what is forwarded for none of its own. */
function route(result: string, flags: readonly string[], direction: Journey["direction"]): Known {
	if (result !== "type") return UNKNOWN;
	if (direction === "through") return known("unicast");
	if (flags.includes("daddr")) return known(direction === "in" ? "local" : "unicast");
	if (flags.includes("saddr")) return known(direction === "in" ? "unicast" : "local");
	return UNKNOWN;
}

function binary(
	{ operator, left, right }: Extract<Expression, { kind: "binary" }>,
	situation: Situation,
): Known {
	const first = evaluate(left, situation);
	const symbols = first.kind === "value" ? first.symbols : undefined;
	const second = evaluate(right, situation);
	if (first.kind === "absent" || second.kind === "absent") return ABSENT;
	// `a|b` inside a mask has names on both sides, whose meaning only the other side of the mask tells.
	const [a, b] = [number(first, symbols), number(second, symbols)];
	if (a === undefined) return UNKNOWN;
	if (b === undefined) {
		const mask = symbols ? maskOf(right, symbols) : undefined;
		return mask === undefined ? UNKNOWN : known(calculate(operator, a, mask), symbols);
	}
	return known(calculate(operator, a, b), symbols);
}

function maskOf(expression: Expression, symbols: Readonly<Record<string, number>>): number | undefined {
	if (expression.kind === "value") return number({ kind: "value", value: expression.value }, symbols);
	if (expression.kind !== "binary" || expression.operator !== "|") return undefined;
	const [a, b] = [maskOf(expression.left, symbols), maskOf(expression.right, symbols)];
	return a === undefined || b === undefined ? undefined : (a | b) >>> 0;
}

/** The number of a value, by name where it has names. */
export function number(
	value: Known,
	symbols: Readonly<Record<string, number>> | undefined,
): number | undefined {
	if (value.kind !== "value") return undefined;
	if (typeof value.value === "number") return value.value;
	if (typeof value.value === "boolean") return Number(value.value);
	return typeof value.value === "string" && symbols && Object.hasOwn(symbols, value.value)
		? symbols[value.value]
		: undefined;
}

function calculate(operator: string, a: number, b: number): number {
	switch (operator) {
		case "&":
			return (a & b) >>> 0;
		case "|":
			return (a | b) >>> 0;
		case "^":
			return (a ^ b) >>> 0;
		case "<<":
			return (a << b) >>> 0;
		default:
			return a >>> b;
	}
}
