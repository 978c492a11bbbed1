import type { BirdConfiguration } from "../../../model/bird-configuration.ts";
import { onlyBird1 } from "./bird1.ts";
import type { Defines, Value } from "./expressions.ts";
import { readBfd, readBgp, readDirect, readKernel } from "./protocols.ts";
import { parseStatements, type Statement } from "./statements.ts";
import { type Include, type SourceFile, tokenize } from "./tokens.ts";
import { readDefine, Words } from "./words.ts";

/** A protocol or template with all that it inherits. */
interface Block {
	readonly kind: string;
	readonly name: string;
	readonly statements: readonly Statement[];
	readonly size: number;
}

/** Words of all that is read, a template's for each protocol that inherits from it: a thousand peers have 170,000. */
const MOST_WORDS = 250_000;
/** What each block costs beside its words. */
const BLOCK = 10;

/** The kinds that are read; of others only the headings are. */
const READ: ReadonlySet<string> = new Set(["bgp", "bfd", "direct", "kernel"]);
const BRINGS_ROUTES: ReadonlySet<string> = new Set(["static", "ospf", "rip", "babel", "pipe", "l3vpn"]);

/**
 * Reads BIRD's configuration file (conf/confbase.Y, nest/config.Y, proto/bgp/config.Y and proto/bfd/config.Y of BIRD 2 and
 * 3). What it does not understand it leaves out. Never throws.
 * @param include the files of an `include`; they may be none
 * @param onTooMuch called when a part of it was not read, because it would take too long
 */
export function parseBirdConfiguration(
	file: SourceFile,
	include: Include = () => [],
	onTooMuch: () => void = () => {},
): BirdConfiguration {
	const defines = new Map<string, Value>();
	const known = new Map<string, Block>();
	const protocols: Block[] = [];
	const counts = new Map<string, number>();
	let left = MOST_WORDS;
	/** Whether there is time for a heading, what it inherits, and what stands in it. */
	const heading = (words: Words) => {
		if (left < 0) return undefined;
		const block = readHeading(words, known, counts);
		if (block && (block.parent || READ.has(block.kind))) left -= block.size;
		if (left < 0) onTooMuch();
		return block;
	};
	let routerId: string | undefined;
	const statements = parseStatements(tokenize(file, include));
	for (const statement of statements) {
		const words = new Words(statement, defines);
		if (words.accept("define")) {
			const constant = readDefine(words);
			if (constant) defines.set(...constant);
		} else if (words.accept("router", "id")) routerId = words.routerId() ?? routerId;
		else if (words.accept("protocol")) {
			const block = heading(words);
			if (block) protocols.push(block);
		} else if (words.accept("template")) heading(words);
	}
	const old = onlyBird1(statements);
	const of = <T>(
		kind: string,
		read: (name: string, statements: readonly Statement[], defines: Defines) => T,
	) =>
		protocols
			.filter((block) => block.kind === kind)
			.map(({ name, statements }) => read(name, statements, defines));
	const kernel = of("kernel", readKernel);
	return {
		...(routerId === undefined ? {} : { routerId }),
		...(old === undefined ? {} : { onlyBird1: old }),
		bgp: of("bgp", readBgp),
		bfd: of("bfd", readBfd),
		direct: of("direct", readDirect),
		kernel,
		...(kernel.some(({ learn, disabled }) => learn && !disabled) ||
		protocols.some(({ kind }) => BRINGS_ROUTES.has(kind))
			? { otherRoutes: true }
			: {}),
		device: protocols.some(({ kind }) => kind === "device"),
	};
}

/** `bgp waukeen from fabric { … }`; name and template may be missing. */
function readHeading(
	words: Words,
	known: Map<string, Block>,
	counts: Map<string, number>,
): (Block & { readonly parent: Block | undefined }) | undefined {
	const kind = words.name();
	if (kind === undefined || !words.block) return undefined;
	const named = words.accept("from") ? undefined : words.name();
	// After a name, `from` is still to come.
	const parent = named === undefined || words.accept("from") ? known.get(words.name() ?? "") : undefined;
	const name = named ?? defaultName(kind, known, counts);
	const inherited = parent?.kind === kind ? parent : { statements: [], size: BLOCK };
	const size = words.block.reduce((sum, each) => sum + each.size, inherited.size);
	const block = { kind, name, statements: [...inherited.statements, ...words.block], size };
	known.set(name, block);
	return { ...block, parent };
}

/** BIRD numbers the nameless ones of each kind (nest/config.Y, proto_name). */
function defaultName(kind: string, known: ReadonlyMap<string, Block>, counts: Map<string, number>): string {
	for (;;) {
		const count = (counts.get(kind) ?? 0) + 1;
		counts.set(kind, count);
		if (!known.has(`${kind}${count}`)) return `${kind}${count}`;
	}
}
