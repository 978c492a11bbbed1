import { parseAddress } from "../../lib/address.ts";
import { wholeNumber } from "../../lib/number.ts";
import type { Flow, Tuple } from "../../model/flow.ts";

/**
 * One line of `conntrack -L` (with or without `-o extended,id`) or of /proc/net/nf_conntrack, which write the same
 * but for the two columns in front and IPv6 addresses (net/netfilter/nf_conntrack_standalone.c).
 * @returns undefined for other protocols and for anything that is not a whole entry
 */
export function parseFlow(line: string): Flow | undefined {
	const words = line.trim().split(/\s+/);
	const at = words[0] === "ipv4" || words[0] === "ipv6" ? 2 : 0;
	const protocol = words[at];
	if (protocol !== "tcp" && protocol !== "udp") return undefined;
	const pairs = words.map((word) => word.split("=", 2) as [string, string?]);
	const values = (name: string) => pairs.filter(([key]) => key === name).map(([, value = ""]) => value);
	const original = tuple(values, 0);
	const reply = tuple(values, 1);
	if (!original || !reply) return undefined;
	const mark = wholeNumber(values("mark")[0], 0xffffffff);
	const zone = wholeNumber(values("zone")[0], 0xffff);
	const state = words.slice(at, at + 4).find((word) => /^[A-Z][A-Z_0-9]+$/.test(word));
	return {
		family: original.source.includes(":") ? "ipv6" : "ipv4",
		protocol,
		...(state === undefined ? {} : { state }),
		unreplied: words.includes("[UNREPLIED]"),
		assured: words.includes("[ASSURED]"),
		...(mark ? { mark } : {}),
		...(zone ? { zone } : {}),
		original,
		reply,
	};
}

function tuple(values: (name: string) => string[], direction: 0 | 1): Tuple | undefined {
	const source = parseAddress(values("src")[direction] ?? "");
	const destination = parseAddress(values("dst")[direction] ?? "");
	const sourcePort = wholeNumber(values("sport")[direction], 0xffff);
	const destinationPort = wholeNumber(values("dport")[direction], 0xffff);
	if (!source || source.family !== destination?.family) return undefined;
	if (sourcePort === undefined || destinationPort === undefined) return undefined;
	return { source: source.text, destination: destination.text, sourcePort, destinationPort };
}
