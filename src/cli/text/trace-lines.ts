import { printable } from "../../lib/printable.ts";
import type { Hop, PacketTrace, TracedPacket } from "../../model/packet-trace.ts";
import { EFFECTS, effectOfRule } from "../../model/rule-effect.ts";
import { type Color, paint, type TextOptions } from "./layout.ts";

/** A rule's text is cut to this many characters. */
const RULE_LIMIT = 160;
/** By the verdict, which is any word of nft's. */
const COLORS: ReadonlyMap<string, Color> = new Map([
	["accept", "green"],
	["drop", "red"],
	["reject", "red"],
	["queue", "yellow"],
	["stolen", "yellow"],
]);

/**
 * One packet's way through the ruleset, as `bgpwarden trace` prints it: a line about the packet, one for each rule that
 * matched and each chain's end, and where it led to.
 * @param at when it came, milliseconds since 1970
 */
export function renderTrace({ packet, hops }: PacketTrace, at: number, options: TextOptions): string {
	const time = new Date(at).toISOString().slice(11, 23);
	const head = `${paint(`${time}Z`, "dim", options)}  ${paint(describePacket(packet), "bold", options)}`;
	const places = hops.map(({ family, table, chain }) => printable(`${family} ${table} ${chain}`, 80));
	const width = Math.max(0, ...places.map((place) => place.length));
	const lines = hops.map((hop, index) => {
		const place = (places[index] ?? "").padEnd(width);
		return `    ${paint(place, "dim", options)}  ${describeWhat(hop)}${describeVerdict(hop, options)}`;
	});
	return `${[head, ...lines, `    ${describeEnd(hops, packet, options)}`].join("\n")}\n`;
}

/** e.g. `in on br-lan: 192.168.1.2:46942 > 192.168.1.1:179 tcp syn`. */
function describePacket(packet: TracedPacket): string {
	const { iif, oif, source, destination, sourcePort, destinationPort, protocol, flags } = packet;
	const on = iif === undefined ? `out${oif === undefined ? "" : ` on ${oif}`}` : `in on ${iif}`;
	const port = (address: string, number: number) =>
		address.includes(":") ? `[${address}]:${number}` : `${address}:${number}`;
	const words = [protocol, ...(flags.length > 0 ? [flags.join(",")] : [])].join(" ");
	return printable(
		`${on}: ${port(source, sourcePort)} > ${port(destination, destinationPort)} ${words}`,
		200,
	);
}

function describeWhat({ rule, handle, policy }: Hop): string {
	if (rule !== undefined) return printable(rule, RULE_LIMIT);
	if (handle !== undefined) return `rule with handle ${handle}`;
	return policy ? "policy" : "end of the chain";
}

function describeVerdict({ verdict, target, rule }: Hop, options: TextOptions): string {
	const words = printable(target === undefined ? verdict : `${verdict} ${target}`, 80);
	// Most rules say it themselves.
	const shown = rule?.endsWith(words) || verdict === "continue" ? "" : ` -> ${words}`;
	return paint(shown, COLORS.get(verdict), options);
}

/** What became of the packet, as far as the ruleset goes. */
function describeEnd(hops: readonly Hop[], packet: TracedPacket, options: TextOptions): string {
	const last = hops.at(-1);
	if (!last) return paint("met no other chain", "green", options);
	const { verdict } = last;
	const where = printable(`${last.family} ${last.table} ${last.chain}`, 80);
	if (verdict === "drop") return paint(`= dropped by ${where}`, "red", options);
	if (verdict === "queue") return paint(`= queued to a program by ${where}`, "yellow", options);
	if (verdict === "stolen") return paint(`= consumed by ${where}`, "yellow", options);
	for (const { family, table, chain, rule } of hops) {
		const effect = rule === undefined ? undefined : effectOfRule(rule);
		if (effect === "redirect" || effect === "dnat" || effect === "tproxy") {
			const by = printable(`${family} ${table} ${chain}`, 80);
			return paint(`= ${EFFECTS[effect]} ${by}`, "yellow", options);
		}
	}
	return paint(packet.iif === undefined ? "= let out" : "= let through", "green", options);
}
