import { wholeNumber, within } from "../../lib/number.ts";
import type { BirdChannel, BirdPeer, ImportUpdates, LastError } from "../../model/bird.ts";
import { parseLastError } from "./last-error.ts";
import { parseOpen } from "./parse-open.ts";

/** A BGP protocol as `show protocols all` tells it; `multihop` only while it is up. */
export type ProtocolPeer = Omit<BirdPeer, "bfd" | "bfdMode" | "since"> & {
	readonly multihop?: boolean;
	/** The `since` column as it was printed; its form depends on `timeformat`. */
	readonly sinceText?: string;
};

/** Name, protocol, table, state, then since and info (nest/proto.c, proto_cmd_show). */
const ROW = /^(\S+)\s+(\S+)\s+(\S+)\s+(\S+)\s(.*)$/;
const CHANNEL = /^ {2}Channel (\S+)/;
/** Columns the since field has at least. */
const SINCE_WIDTH = 12;

/** A protocol of BIRD's, of any kind. */
export interface BirdProtocol {
	readonly name: string;
	/** As BIRD writes it: `BGP`, `Direct`, `BFD`, `Device`, `Kernel`. */
	readonly kind: string;
	/** `up`, `start`, `down`, `stop`. */
	readonly state: string;
}

/** One protocol of an answer. */
export interface Protocol {
	readonly protocol: BirdProtocol;
	/** Absent: it is not BGP's. */
	readonly peer?: ProtocolPeer;
}

/**
 * @param row the line that it begins with, without its code
 * @param details the lines below, without what stands for their code
 * @returns undefined when the row is none
 */
export function parseProtocol(row: string, details: readonly string[]): Protocol | undefined {
	const [, name, kind, , state, rest = ""] = ROW.exec(row) ?? [];
	if (name === undefined || kind === undefined || state === undefined) return undefined;
	const protocol = { name, kind, state };
	if (kind !== "BGP") return { protocol };
	return { protocol, peer: { name, protocolState: state, ...parseRest(rest), ...parseDetails(details) } };
}

/** The since column may hold spaces (`timeformat protocol iso long`), so its end is looked for behind its width. */
function parseRest(rest: string): { sinceText?: string } {
	const end = rest.indexOf("  ", SINCE_WIDTH);
	const sinceText = (end < 0 ? rest : rest.slice(0, end)).trim();
	return sinceText === "" ? {} : { sinceText };
}

/** Fields by name and depth: what a description says at the wrong depth, or a channel's own state, is no field. */
function parseDetails(details: readonly string[]): Partial<ProtocolPeer> {
	const channelAt = details.findIndex((text) => CHANNEL.test(text));
	const own = channelAt < 0 ? details : details.slice(0, channelAt);
	const field = (indent: number, name: string) => {
		const start = `${" ".repeat(indent)}${name}:`;
		const value = own
			.find((text) => text.startsWith(start))
			?.slice(start.length)
			.trim();
		return value === "" ? undefined : value;
	};
	const session = field(4, "Session");
	return withoutAbsent({
		state: field(2, "BGP state"),
		...parseNeighbor(field(4, "Neighbor address")),
		neighborRange: parseRange(field(4, "Neighbor range")),
		neighborAs: parseAs(field(4, "Neighbor AS")),
		localAs: parseAs(field(4, "Local AS")),
		lastError: parseError(field(4, "Last error")),
		keepsRoutes: own.some((text) => text === "    Neighbor graceful restart active")
			? (true as const)
			: undefined,
		open: parseOpen(own),
		multihop: session === undefined ? undefined : /\bmultihop\b/.test(session),
		...sumRoutes(channelAt < 0 ? [] : details.slice(channelAt)),
		updates: sumUpdates(channelAt < 0 ? [] : details.slice(channelAt)),
		channels: channelAt < 0 ? undefined : parseChannels(details.slice(channelAt)),
	});
}

/** Undefined: there is only one. */
function parseChannels(details: readonly string[]): readonly BirdChannel[] | undefined {
	const starts = details.flatMap((text, index) => (CHANNEL.test(text) ? [index] : []));
	if (starts.length < 2) return undefined;
	return starts.map((start, index) => {
		const lines = details.slice(start, starts[index + 1]);
		const { imported } = sumRoutes(lines);
		return {
			family: CHANNEL.exec(lines[0] ?? "")?.[1] ?? "",
			isDown: lines.some((text) => /^ {4}State:\s+DOWN/.test(text)),
			...withoutAbsent({ imported, updates: sumUpdates(lines) }),
		};
	});
}

/** `192.168.1.2`, `fe80::2%br-lan`, and since BIRD 3.3 perhaps ` onlink` behind. */
function parseNeighbor(text: string | undefined) {
	const [, address, zone] = /^([0-9a-fA-F.:]+)(?:%(\S+))?(?: onlink)?$/.exec(text ?? "") ?? [];
	// The unspecified address is BIRD's word for not known yet.
	if (address === undefined || address === "::" || address === "0.0.0.0") return {};
	return { neighborAddress: address, neighborInterface: zone };
}

function parseRange(text: string | undefined): string | undefined {
	return text?.replace(/ onlink$/, "");
}

function parseError(text: string | undefined): LastError | undefined {
	return text === undefined ? undefined : parseLastError(text);
}

/** AS 0 is nobody's (RFC 7607); BIRD prints it for a neighbor whose number it does not know yet. */
function parseAs(text: string | undefined): number | undefined {
	return wholeNumber(text, 0xffffffff) || undefined;
}

/** `Routes: 2 imported, 1 filtered, 2 exported, 2 preferred` of each channel, by word: `filtered` is optional. */
function sumRoutes(
	channels: readonly string[],
): Partial<Pick<ProtocolPeer, "imported" | "exported" | "preferred">> {
	const sums = new Map<string, number>();
	for (const text of channels) {
		const counts = /^ {4}Routes:\s+(.*)$/.exec(text)?.[1] ?? "";
		for (const [, count, word = ""] of counts.matchAll(/(\d+) ([a-z]+)/g))
			sums.set(word, (sums.get(word) ?? 0) + Number(count));
	}
	return withoutAbsent({
		imported: within(sums.get("imported")),
		exported: within(sums.get("exported")),
		preferred: within(sums.get("preferred")),
	});
}

/**
 * `Import updates:` and `Import withdraws:` of each channel but those with `import none`. The columns, which differ between
 * BIRD 2 and 3, are named by the line above; `---` stands for what does not apply.
 */
function sumUpdates(channels: readonly string[]): ImportUpdates | undefined {
	let columns: readonly string[] = [];
	let imports = false;
	let sum: ImportUpdates | undefined;
	for (const text of channels) {
		const [, name, rest = ""] =
			/^ +(Input filter|Route change stats|Import updates|Import withdraws):\s+(.*)$/.exec(text) ?? [];
		// `RX limit` and `limit` are two columns of BIRD 3.
		const words = rest.replace("RX limit", "RX-limit").split(/\s+/);
		if (name === "Input filter") imports = rest !== "REJECT";
		else if (name === "Route change stats") columns = words;
		else if (name !== undefined && imports) {
			const [received, rejected, filtered] = ["received", "rejected", "filtered"].map((column) =>
				wholeNumber(words[columns.indexOf(column)], MOST_UPDATES),
			);
			const { received: r, rejected: j, filtered: f, withdrawn: w } = sum ?? NO_UPDATES;
			if (received === undefined) continue;
			if (name === "Import withdraws") {
				if (sum) sum = { ...sum, withdrawn: w + received };
			} else if (rejected !== undefined && filtered !== undefined)
				sum = { received: r + received, rejected: j + rejected, filtered: f + filtered, withdrawn: w };
		}
	}
	return sum;
}

/** BIRD counts with 32 bits (nest/protocol.h, channel_import_stats). */
const MOST_UPDATES = 0xffffffff;
const NO_UPDATES: ImportUpdates = { received: 0, rejected: 0, filtered: 0, withdrawn: 0 };

type WithoutAbsent<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

function withoutAbsent<T extends object>(fields: T): WithoutAbsent<T> {
	return Object.fromEntries(
		Object.entries(fields).filter(([, value]) => value !== undefined),
	) as WithoutAbsent<T>;
}
