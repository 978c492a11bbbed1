import type { Random } from "../random.ts";
import { mutated, mutatedJson } from "./mutate.ts";
import type { Check } from "./values.ts";

/** A parser of a text that somebody else has written. */
export interface Parser {
	readonly name: string;
	/** Makes an input out of captures. */
	input(random: Random): string;
	parse(text: string): unknown;
	/** What is wrong with a result, in words. */
	readonly check: (result: unknown) => string | undefined;
	/** Characters of the longest input that it gets where it is called. */
	readonly limit: number;
	/** What it might be slow with. */
	readonly shapes: readonly Shape[];
	/** The same for `make fuzz`, which has more time. */
	readonly moreShapes: readonly Shape[];
}

/** A long input. @property repeated as often as the size wants; `§` in it becomes the number of the repetition */
export interface Shape {
	readonly start?: string;
	readonly repeated: string;
	readonly end?: string;
}

interface Given<T> {
	readonly name: string;
	/** Captures. */
	readonly seeds: readonly string[];
	readonly parse: (text: string) => T;
	readonly check: Check<NoInfer<T>>;
	readonly limit: number;
	readonly shapes?: readonly (string | Shape)[];
	/** The seeds are JSON, and so are most of the inputs. */
	readonly json?: boolean;
}

/** Repeated for every parser: openers without closers, one long line, many lines, blanks, digits. */
const EVERYWHERE = ["(", "{", "[", '"', " ", "1", "a", "\n", "a "];
const MORE = [
	"}",
	"'",
	"\t",
	"/*",
	"#",
	"\\",
	"{\n",
	"é",
	"1 ",
	"a:",
	"1.",
	"-",
	",",
	"=",
	"%",
	"0x",
	"\r",
	"\ufffd",
];

/** The check has to be one of the type that the parser returns. */
export function parser<T>({ name, seeds, parse, check, limit, shapes = [], json }: Given<T>): Parser {
	const useful = seeds.filter((seed) => seed !== "");
	const values = json ? useful.map((seed): unknown => JSON.parse(seed)) : [];
	const own = shapes.map((shape): Shape => (typeof shape === "string" ? { repeated: shape } : shape));
	const some = useful.filter((_, index) => index % Math.ceil(useful.length / 4) === 0);
	// Every word that it may know, with nothing behind it that belongs there.
	const words = [...new Set(some.flatMap((seed) => seed.match(/[A-Za-z_]+|[^A-Za-z_\s]+/g) ?? []))].slice(
		0,
		60,
	);
	return {
		name,
		input: (random) => (json ? mutatedJson(random, values) : mutated(random, useful)),
		parse,
		check,
		limit,
		shapes: [
			...own,
			...EVERYWHERE.map((repeated) => ({ repeated })),
			...some.slice(0, 1).map((seed) => ({ repeated: `${seed}\n` })),
		],
		moreShapes: [...MORE, ...some, ...words.flatMap((word) => [word, `${word} `])].map((repeated) => ({
			repeated,
		})),
	};
}

/** A text of about this many characters. */
export function ofSize({ start = "", repeated, end = "" }: Shape, size: number): string {
	const times = Math.max(0, Math.floor((size - start.length - end.length) / repeated.length));
	const middle = repeated.includes("§")
		? Array.from({ length: times }, (_, index) => repeated.replaceAll("§", String(index))).join("")
		: repeated.repeat(times);
	return `${start}${middle}${end}`;
}
