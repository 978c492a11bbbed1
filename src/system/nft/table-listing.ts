/** The kernel's listing of a table as it would be without an owner and without a mark: what the table does. */
export function bareListing(text: string): string {
	return text.replace(OWNERSHIP, "$1\n").replace(MARKS, '"');
}

/** The peers' addresses in a listing of the table, with scope `peers`. */
export function peersIn(listing: string): string[] {
	const sets = listing.matchAll(/\n\tset peers[46] \{[^}]*?elements = \{([^}]*)\}/g);
	return [...sets]
		.flatMap(([, elements = ""]) => elements.split(",").map((element) => element.trim()))
		.filter(Boolean);
}

/** The TCP ports of BGP in a listing of the table; none in a listing of another table of the same name. */
export function portsIn(listing: string): number[] {
	const [, body = ""] = /\n\tchain raw_pre \{\n([\s\S]*?)\n\t\}/.exec(listing) ?? [];
	const [, ports = ""] = /\btcp dport (\d+|\{[^}]*\}) /.exec(body) ?? [];
	return (ports.match(/\d+/g) ?? []).map(Number);
}

/** Whether a listing is of a table that belongs to a process which still runs. */
export function isOwned(listing: string): boolean {
	return /^table inet \S+ \{.*\n\tflags owner\b/.test(listing);
}

/** nft also prints the owner's name, which it reads from /proc: in a container it may be another process's. */
const OWNERSHIP = /^(table inet \S+ \{).*\n(?:\tflags (?:owner|persist|owner,persist)\n\n?)?/;

const MARKS = / \(run [0-9a-f]{8}\)"/g;
