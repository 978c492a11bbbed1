import type {
	Attachment,
	Expression,
	Lookup,
	Pattern,
	Rule,
	Ruleset,
	Statement,
	Table,
	Value,
	Verdict,
	VerdictEntry,
} from "../../../src/model/ruleset.ts";
import { parsePriority, parseRuleset, withDormant } from "../../../src/system/nft/ruleset-json.ts";
import { captures, pieces } from "../captures.ts";
import { type Parser, parser } from "../parser.ts";
import * as is from "../values.ts";

interface Listed {
	readonly nftables: readonly Readonly<Record<string, Record<string, unknown>>>[];
}

/** Listings of one rule, set or chain each, with the table that it is in: whole ones cost a hundred times as much. */
function small(text: string): string[] {
	const { nftables } = JSON.parse(text) as Listed;
	const [about] = nftables;
	const of = (kind: string, family: unknown, table: unknown) =>
		nftables.filter(
			(entry) => entry[kind]?.family === family && (entry[kind]?.table ?? entry[kind]?.name) === table,
		);
	return nftables.flatMap((entry) => {
		const body = entry.rule ?? entry.set ?? entry.map;
		if (!body) return [];
		const chain = of("chain", body.family, body.table).filter((each) => each.chain?.name === body.chain);
		return [JSON.stringify({ nftables: [about, ...of("table", body.family, body.table), ...chain, entry] })];
	});
}

const LISTINGS = captures("nft", /ruleset.*\.json$/);
const SMALL = [...new Set(LISTINGS.flatMap(small))].filter((text) => text.length < 3000);

const bytes = is.list(is.byte);
const value: is.Check<Value> = is.either(
	is.either(is.text, is.flag),
	is.either(is.whole(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER), bytes),
);
const expression: is.Check<Expression> = is.lazy(() =>
	is.byKind<Expression>("kind", {
		payload: is.shape({ kind: is.oneOf("payload"), protocol: is.text, field: is.text }),
		raw: is.shape({ kind: is.oneOf("raw"), base: is.text, offset: is.count, length: is.count }),
		meta: is.shape({ kind: is.oneOf("meta"), key: is.text }),
		ct: is.shape({ kind: is.oneOf("ct"), key: is.text, direction: is.maybe(is.text) }),
		fib: is.shape({ kind: is.oneOf("fib"), result: is.text, flags: is.list(is.text) }),
		socket: is.shape({ kind: is.oneOf("socket"), key: is.text }),
		concat: is.shape({ kind: is.oneOf("concat"), parts: is.list(expression) }),
		binary: is.shape({
			kind: is.oneOf("binary"),
			operator: is.oneOf("&", "|", "^", "<<", ">>"),
			left: expression,
			right: expression,
		}),
		value: is.shape({ kind: is.oneOf("value"), value }),
		unknown: is.shape({ kind: is.oneOf("unknown"), name: is.text }),
	}),
);
const pattern: is.Check<Pattern> = is.lazy(() =>
	is.byKind<Pattern>("kind", {
		is: is.shape({ kind: is.oneOf("is"), value }),
		bits: is.shape({ kind: is.oneOf("bits"), values: is.list(value) }),
		prefix: is.shape({ kind: is.oneOf("prefix"), bytes, length: is.whole(0, 128) }),
		range: is.shape({ kind: is.oneOf("range"), from: value, to: value }),
		any: is.shape({ kind: is.oneOf("any"), of: is.list(pattern) }),
		concat: is.shape({ kind: is.oneOf("concat"), parts: is.list(pattern) }),
		all: is.shape({ kind: is.oneOf("all") }),
		named: is.shape({ kind: is.oneOf("named"), set: is.text }),
		unknown: is.shape({ kind: is.oneOf("unknown") }),
	}),
);
const end = is.shape({ kind: is.oneOf("accept", "drop", "return", "continue") });
const jump = is.shape({ kind: is.oneOf("jump", "goto"), target: is.text });
const verdict = is.byKind<Verdict>("kind", {
	...{ accept: end, drop: end, return: end, continue: end, jump, goto: jump },
} as const);
const entry = is.shape<VerdictEntry>({ key: pattern, verdict });
const lookups = is.maybe(is.list(is.shape<Lookup>({ key: expression, keys: pattern })));
const nat = is.shape({
	kind: is.oneOf("tproxy", "redirect", "dnat", "snat", "masquerade"),
	family: is.maybe(is.text),
	address: is.maybe(is.text),
	port: is.maybe(is.anyPort),
	lookups,
});
const bare = is.shape({ kind: is.oneOf("synproxy", "notrack") });
const statement: is.Check<Statement> = is.byKind<Statement>("kind", {
	match: is.shape({
		kind: is.oneOf("match"),
		relation: is.oneOf("==", "!=", "<", ">", "<=", ">=", "in"),
		left: expression,
		right: pattern,
	}),
	verdict: is.shape({ kind: is.oneOf("verdict"), verdict }),
	vmap: is.shape({ kind: is.oneOf("vmap"), key: expression, map: is.either(is.text, is.list(entry)) }),
	reject: is.shape({ kind: is.oneOf("reject"), with: is.maybe(is.text) }),
	queue: is.shape({ kind: is.oneOf("queue"), to: is.maybe(is.matching(/^\d+(-\d+)?$/)), bypass: is.flag }),
	...{ tproxy: nat, redirect: nat, dnat: nat, snat: nat, masquerade: nat, synproxy: bare, notrack: bare },
	set: is.shape({ kind: is.oneOf("set"), target: expression, value: expression, lookups }),
	limit: is.shape({ kind: is.oneOf("limit"), what: is.text, over: is.flag }),
	counter: is.shape({ kind: is.oneOf("counter"), packets: is.count }),
	passive: is.shape({ kind: is.oneOf("passive"), name: is.text }),
	unknown: is.shape({ kind: is.oneOf("unknown"), name: is.text }),
} as const);

const attachment = is.shape<Attachment>({
	type: is.text,
	hook: is.oneOf("ingress", "egress", "prerouting", "input", "forward", "output", "postrouting"),
	priority: is.whole(-(2 ** 31), 2 ** 31 - 1),
	policy: is.oneOf("accept", "drop"),
	devices: is.maybe(is.list(is.text)),
});

/** A rule is a class, whose statements are read when they are asked for. */
const rule: is.Check<Rule> = (given) => {
	const { family, table, chain, handle, comment, statements } = given as Rule;
	return (
		is.oneOf("inet", "ip", "ip6", "netdev")(family) ??
		is.list(is.text)([table, chain]) ??
		is.handle(handle) ??
		is.orAbsent(is.text)(comment) ??
		is.list(statement)(statements)
	);
};
const set = (given: unknown) => {
	const { elements, verdicts } = given as { elements(): unknown; verdicts(): unknown };
	return is.list(pattern)(elements()) ?? is.list(entry)(verdicts());
};
const table = is.shape<Table>({
	family: is.oneOf("inet", "ip", "ip6", "netdev"),
	name: is.text,
	dormant: is.flag,
	owned: is.flag,
	chains: is.mapOf(
		is.text,
		is.shape({ name: is.text, base: is.maybe(attachment), rules: is.list(rule) }),
	) as is.Check<Table["chains"]>,
	sets: is.mapOf(is.text, set as is.Check<never>) as is.Check<Table["sets"]>,
});
const ruleset = is.shape<Ruleset>({
	tables: is.list(table),
	bridges: is.list(is.text),
	version: is.maybe(is.text),
});

const IN_RULE = {
	start:
		'{"nftables":[{"table":{"family":"inet","name":"t"}},{"chain":{"family":"inet","table":"t","name":"c"}},' +
		'{"rule":{"family":"inet","table":"t","chain":"c","handle":1,"expr":[',
};
const RULES_END = "]}}]}";

export const RULESET: readonly Parser[] = [
	parser({
		name: "parseRuleset",
		seeds: SMALL,
		// All of it is read, as for a packet that every rule might fit.
		parse: (text) => {
			const read = parseRuleset(text);
			for (const { chains, sets } of read?.tables ?? []) {
				for (const { rules } of chains.values()) for (const each of rules) each.statements;
				for (const each of sets.values()) each.elements();
			}
			return read;
		},
		check: is.orAbsent(ruleset),
		limit: 8 << 20,
		json: true,
		shapes: [
			{ start: '{"nftables":[', repeated: '{"table":{"family":"ip","name":"t§"}},', end: "0]}" },
			{ ...IN_RULE, repeated: '{"accept":null},', end: `{}${RULES_END}` },
			{
				...IN_RULE,
				repeated: '{"match":{"op":"==","left":{"payload":{"protocol":"tcp","field":"dport"}},"right":179}},',
				end: `{}${RULES_END}`,
			},
			...[
				'{"match":{"op":"==","left":{"concat":[',
				'{"set":{"stmt":[',
				'{"match":{"op":"==","right":{"set":[',
			].map((repeated) => ({ ...IN_RULE, repeated })),
		],
	}),
	parser({
		name: "parseRuleset, whole",
		seeds: LISTINGS.filter((text) => text.length < 9000),
		parse: (text) => parseRuleset(text, true)?.tables.length,
		check: is.orAbsent(is.count),
		limit: 8 << 20,
	}),
	parser({
		name: "parsePriority",
		seeds: ["mangle - 5", "filter", "dstnat + 10", "-300", "srcnat-1"],
		parse: (text) => parsePriority(/^-?\d{1,11}$/.test(text) ? Number(text) : text),
		check: is.orAbsent(is.whole(-(2 ** 31), 2 ** 31 - 1)),
		limit: 65_536,
	}),
	parser({
		name: "withDormant",
		seeds: [
			...pieces(captures("nft", /every-expression\.txt$/), 10),
			"table inet x {\n\tflags dormant\n\n\tchain y {\n\t}\n}\n",
		],
		parse: (text) => withDormant({ tables: [], bridges: [], version: "1.0.6" }, text).tables.length,
		check: is.count,
		limit: 8 << 20,
		shapes: [
			"table a b {\n\tflags ",
			"table a b {\n\tflags dormant\n",
			{ start: "table a b {\n\tflags ", repeated: "dormantx" },
		],
	}),
];
