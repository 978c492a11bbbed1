import { parseAddress } from "../../lib/address.ts";
import { within } from "../../lib/number.ts";
import { parsePrefix } from "../../lib/prefix.ts";

/** The kernel's listing of a table as it would be without an owner and without a mark: what the table does. */
export function bareListing(text: string): string {
	return text.replace(OWNERSHIP, "$1\n").replace(MARKS, '"');
}

/** The peers' addresses in a listing of the table, with scope `peers`. */
export function peersIn(listing: string): string[] {
	return listing
		.split("\n\tset peers")
		.slice(1)
		.flatMap((set) => {
			// Of one that is cut off, the last element may be a part of one.
			const body = set.slice(0, Math.max(0, set.indexOf("}")));
			const [, elements = ""] = body.split("elements = {");
			return elements.split(",").flatMap((element) => peerIn(element.trim()) ?? []);
		});
}

/** An address, a prefix, or the first and the last of neighbors in a row. */
function peerIn(element: string): string | undefined {
	const ends = element
		.split("-", 3)
		.map((end) => (end.includes("/") ? parsePrefix : parseAddress)(end)?.text);
	return ends.length < 3 && !ends.includes(undefined) ? ends.join("-") : undefined;
}

/** The TCP ports of BGP in a listing of the table; none in a listing of another table of the same name. */
export function portsIn(listing: string): number[] {
	const [, ports = ""] = /\btcp dport (\d+|\{[^{}]*\}) /.exec(chainOf(listing, "raw_pre") ?? "") ?? [];
	return (ports.match(/\d+/g) ?? []).flatMap((port) => within(Number(port), 1, 65_535) ?? []);
}

/** What stands in a chain of a listing. */
export function chainOf(listing: string, name: string): string | undefined {
	const start = `\n\tchain ${name} {\n`;
	const [, body] = listing.slice(Math.max(0, listing.indexOf(start))).split(start, 2);
	const end = body?.indexOf("\n\t}") ?? -1;
	return end < 0 ? undefined : body?.slice(0, end);
}

/**
 * Whether a listing is of the table that this text has made, and belongs to a process which still runs: an owned table of
 * somebody else's may have the same name. A text without a mark goes by the name.
 */
export function isOwned(listing: string, text: string): boolean {
	const [mark = ""] = text.match(MARKS) ?? [];
	return /^table inet \S+ \{.*\n\tflags owner\b/.test(listing) && listing.includes(mark);
}

/** nft also prints the owner's name, which it reads from /proc: in a container it may be another process's. */
const OWNERSHIP = /^(table inet \S+ \{).*\n(?:\tflags (?:owner|persist|owner,persist)\n\n?)?/;

const MARKS = / \(run [0-9a-f]{8}\)"/g;
