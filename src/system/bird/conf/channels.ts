/** Channels: `ipv4 { import …; export …; }` inside a protocol. */

import type { ChannelConfiguration, ChannelLimit, NextHop } from "../../../model/bird-configuration.ts";
import type { Defines } from "./expressions.ts";
import { Words } from "./words.ts";

export type Channels = Map<string, ChannelConfiguration>;

type Draft = { -readonly [Key in keyof ChannelConfiguration]: ChannelConfiguration[Key] | undefined };

const FAMILY = /^(ipv4|ipv6|vpn4|vpn6|roa4|roa6|flow4|flow6|eth|mpls|aspa|evpn)$/;
const SUBFAMILIES = ["multicast", "mpls", "sadr"];
const LIMITS = [
	["import limit", "importLimit"],
	["export limit", "exportLimit"],
	["receive limit", "receiveLimit"],
] as const;
const SWITCHES = [
	["mandatory", "mandatory"],
	["extended next hop", "extendedNextHop"],
	["import table", "importTable"],
] as const;
const NEXT_HOPS = [
	["next hop self", "nextHopSelf"],
	["next hop keep", "nextHopKeep"],
] as const;
const FILTERS = [
	["import", "import"],
	["export", "export"],
] as const;
/** What makes `import …` a filter, and not an option such as `import keep filtered`; `in` is BIRD 3's `export in NET …`. */
const FILTER_WORDS = ["all", "none", "filter", "where", "in"];
const ACTIONS = ["warn", "block", "restart", "disable"] as const;

/** Adds a channel, or changes the one that a template has brought. Passes over anything else. */
export function readChannel(words: Words, defines: Defines, channels: Channels): void {
	const first = words.peek();
	if (first?.kind !== "word" || !FAMILY.test(first.text)) return;
	const family = [words.name(), SUBFAMILIES.includes(words.peek()?.text ?? "") ? words.name() : undefined]
		.filter((word) => word !== undefined)
		.join(" ");
	const channel: Draft = { ...channels.get(family), family };
	for (const statement of words.block ?? []) readItem(new Words(statement, defines), channel);
	channels.set(family, known(channel));
}

/**
 * Fills in what BIRD does for BGP's channels (proto/bgp/bgp.c, bgp_postconfig).
 * @param protocol what their protocol says; `internal` and `multihop` undefined where that is not known
 */
export function withBgpDefaults(
	channels: Channels,
	protocol: {
		readonly internal: boolean | undefined;
		readonly multihop: number | false | undefined;
		readonly disableAfterError: boolean | undefined;
		/** Of `rr client` or `rs client`, or neither. */
		readonly nextHopKeep: NextHop;
	},
): ChannelConfiguration[] {
	const { internal, multihop, disableAfterError, nextHopKeep } = protocol;
	const gateway = multihop === undefined ? {} : { gateway: multihop === false ? "direct" : "recursive" };
	const policy = internal ? { import: "all", export: "none" } : {};
	const rest = {
		nextHopSelf: false,
		nextHopKeep,
		mandatory: false,
		extendedNextHop: false,
		importTable: false,
	};
	return [...channels.values()].map((channel) => {
		const { importLimit } = channel;
		// BIRD can either restart the protocol or leave it disabled.
		const changed =
			disableAfterError && importLimit?.action === "restart"
				? { importLimit: { ...importLimit, action: "disable" } }
				: {};
		return known({ ...policy, ...gateway, ...rest, ...channel, ...changed } as Draft);
	});
}

function readItem(words: Words, channel: Draft): void {
	const limit = words.acceptOne(LIMITS);
	const option = words.acceptOne(SWITCHES);
	const nextHop = words.acceptOne(NEXT_HOPS);
	const direction = words.acceptOne(FILTERS);
	if (limit) channel[limit[1]] = readLimit(words);
	else if (option) channel[option[1]] = words.switch();
	else if (nextHop) channel[nextHop[1]] = readNextHop(words);
	else if (words.accept("gateway"))
		channel.gateway = words.accept("direct") ? "direct" : words.accept("recursive") ? "recursive" : undefined;
	else if (direction && FILTER_WORDS.includes(words.peek()?.text ?? "")) {
		const filter = words.rest();
		channel[direction[1]] = words.block ? `${filter} { … }` : filter;
	}
}

/** `N [action …]`, or `off`. */
function readLimit(words: Words): ChannelLimit | undefined {
	if (words.accept("off")) return undefined;
	const limit = words.number();
	const said = words.accept("action") ? words.name() : "disable";
	const action = ACTIONS.find((each) => each === said);
	return action && { ...(limit === undefined ? {} : { limit }), action };
}

function readNextHop(words: Words): NextHop | undefined {
	if (words.accept("ibgp")) return "ibgp";
	return words.accept("ebgp") ? "ebgp" : words.switch();
}

function known(channel: Draft): ChannelConfiguration {
	const entries = Object.entries(channel).filter(([, value]) => value !== undefined);
	return Object.fromEntries(entries) as unknown as ChannelConfiguration;
}
