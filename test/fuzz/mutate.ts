import type { Random } from "../random.ts";

/** What stands in for numbers: around the limits of ports, 32 bits, whole numbers and floating point. */
const NUMBERS = [
	...["0", "-1", "1", "65535", "65536", "2147483647", "2147483648", "4294967295", "4294967296"],
	...["9007199254740991", "9007199254740993", "18446744073709551616", "1e400", "-1e400", "1e-7", "1.5"],
	...["NaN", "Infinity", "0x", "0xffffffffff", "00000000001", "999999999999999999999999999999"],
] as const;

/** Members of every ordinary object, and words that formats may know. */
const NAMES = [
	...["__proto__", "constructor", "toString", "hasOwnProperty", "valueOf", "isPrototypeOf", "prototype"],
	...["null", "undefined", "true", "then", "length", "toJSON"],
] as const;

/** What no terminal, line or file expects. `\ufffd` is what bytes that are not UTF-8 are decoded to. */
const ODD = [
	...[
		"\x1b[2J\x1b[31m",
		"\x00",
		"\x07",
		"\x7f",
		"\x9b",
		"\u202e",
		"\u200b",
		"\ufeff",
		"\ufffd",
		"\ufffd\ufffd",
	],
	...["\ud800", "\udc00", "\r", "\r\n", "\n", "\n\n", "\t", "\v", "\f", "\u2028", "\u00a0", "💥"],
] as const;

const OPENERS = [
	"(",
	"[",
	"{",
	"<",
	"'",
	'"',
	"/*",
	"{{",
	'{"a":[',
	"#",
	"\\",
	";",
	",",
	":",
	"=",
	"%",
	"-",
] as const;

/** Characters that an input of the ordinary rounds has at most. */
const LONGEST = 20_000;

/** Another input out of the captures: a few mistakes in one of them, or something that looks like them. */
export function mutated(random: Random, seeds: readonly string[]): string {
	const kind = random.below(40);
	if (kind === 0) return random.text(300);
	if (kind === 1) return shuffled(random, seeds);
	let text = random.pick(seeds);
	for (let count = 1 + random.below(random.below(4) === 0 ? 8 : 2); count > 0; count--)
		text = withMistake(random, text, seeds);
	return text.length > LONGEST ? text.slice(0, LONGEST) : text;
}

function withMistake(random: Random, text: string, seeds: readonly string[]): string {
	const at = random.below(text.length + 1);
	switch (random.below(20)) {
		case 0:
			return flipped(random, text, at);
		case 1:
			return exchanged(text, at, /[0-9a-fA-Fx.]/, random.pick(NUMBERS));
		case 2:
		case 3:
			return exchanged(text, at, /[0-9]/, random.pick(NUMBERS));
		case 4:
			return exchanged(text, at, /[A-Za-z_-]/, random.pick(NAMES));
		case 5:
			return exchanged(text, at, /\S/, random.pick(random.below(2) === 0 ? NAMES : NUMBERS));
		case 6:
			return inserted(text, at, random.pick(ODD));
		case 7:
			return text.slice(0, at) + text.slice(Math.min(text.length, at + random.below(40)));
		case 8:
			return text.slice(0, at);
		case 9:
			return text.endsWith("\n") ? text.slice(0, -1) : `${text}\n`;
		case 10:
			return withLines(text, (lines) => lines.splice(random.below(lines.length), 1 + random.below(2)));
		case 11:
			return withLines(text, (lines) => {
				const line = random.below(lines.length);
				for (let count = random.below(6) === 0 ? 40 : 1; count > 0; count--)
					lines.splice(line, 0, lines[line] ?? "");
			});
		case 12:
			return withLines(text, (lines) => {
				const [one, other] = [random.below(lines.length), random.below(lines.length)];
				[lines[one], lines[other]] = [lines[other] ?? "", lines[one] ?? ""];
			});
		case 13:
			return inserted(text, at, cutOut(random, random.pick(seeds)));
		case 14:
			return withLines(text, (lines) => {
				const others = random.pick(seeds).split("\n");
				lines.splice(random.below(lines.length), random.below(3), random.pick(others));
			});
		case 15:
			return inserted(
				text,
				at,
				random.pick(OPENERS).repeat(1 + random.below(random.below(8) === 0 ? 2000 : 20)),
			);
		case 16:
			return inserted(
				text,
				at,
				random.pick(["a", "1", " ", "\t", "f:", "1.", "-", ".", "é"]).repeat(random.below(600)),
			);
		case 17:
			return exchanged(text, at, /[A-Za-z0-9_]/, random.pick(["x", "longer"]).repeat(10 + random.below(100)));
		case 18:
			return inserted(text, at, random.text(12));
		default:
			return inserted(text, at, random.pick(NUMBERS));
	}
}

function inserted(text: string, at: number, piece: string): string {
	return text.slice(0, at) + piece + text.slice(at);
}

function flipped(random: Random, text: string, at: number): string {
	if (at >= text.length) return text;
	const code = text.charCodeAt(at) ^ (1 << random.below(8));
	return text.slice(0, at) + String.fromCharCode(code) + text.slice(at + 1);
}

/** Another word in the place of the first one at or behind a position. @param letter what words are made of */
function exchanged(text: string, at: number, letter: RegExp, word: string): string {
	let start = at;
	while (start < text.length && !letter.test(text[start] ?? "")) start++;
	if (start >= text.length) return inserted(text, at, word);
	let end = start;
	while (start > 0 && letter.test(text[start - 1] ?? "")) start--;
	while (end < text.length && letter.test(text[end] ?? "")) end++;
	return text.slice(0, start) + word + text.slice(end);
}

function withLines(text: string, change: (lines: string[]) => void): string {
	const lines = text.split("\n");
	change(lines);
	return lines.join("\n");
}

function cutOut(random: Random, text: string): string {
	const at = random.below(text.length + 1);
	return text.slice(at, at + random.below(200));
}

/** The captures' own words, in any order. */
function shuffled(random: Random, seeds: readonly string[]): string {
	const words = random.pick(seeds).split(/(\s+|[^A-Za-z0-9_]+)/);
	const others = random.pick(seeds).split(/\s+/);
	return Array.from({ length: random.below(60) }, () =>
		random.pick(random.below(3) === 0 ? others : words),
	).join(random.below(3) === 0 ? " " : "");
}

/** Values in the place of JSON's. */
const VALUES = [
	...["0", "-1", "1.5", "65536", "4294967296", "9007199254740993", "1e400", "-1e400", "1e-400", "-0"],
	...[
		"null",
		"true",
		"false",
		"{}",
		"[]",
		'""',
		"[[]]",
		'{"a":{}}',
		'"*"',
		'"@x"',
		'"\\u001b[2J"',
		'"\\ud800"',
	],
	...['{"toString":1}', '{"__proto__":{"a":1}}', '{"constructor":null}', '[{"toString":1,"valueOf":2},3]'],
	...NAMES.map((name) => `"${name}"`),
] as const;

/** A JSON text with some of its values and names exchanged, so that most of it is still JSON. */
export function mutatedJson(random: Random, seeds: readonly unknown[]): string {
	const seed = random.pick(seeds);
	// One mistake in a text of this many places, or some.
	const odds = random.pick([12, 40, 160]);
	const write = (value: unknown): string => {
		if (random.below(odds) === 0) return oddValue(random, value, write);
		if (Array.isArray(value)) {
			if (random.below(odds) !== 0) return `[${value.map(write).join(",")}]`;
			const items = value.filter(() => random.below(3) > 0).map(write);
			return `[${[...items, ...items.slice(0, random.below(4)), random.pick(VALUES)].join(",")}]`;
		}
		if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
		const members = Object.entries(value).map(
			([name, each]) =>
				`${JSON.stringify(random.below(odds) === 0 ? random.pick(NAMES) : name)}:${write(each)}`,
		);
		if (random.below(odds) === 0) members.unshift(`"${random.pick(NAMES)}":${random.pick(VALUES)}`);
		if (random.below(odds) === 0) members.reverse();
		return `{${members.join(",")}}`;
	};
	const text = write(seed);
	return random.below(12) === 0 ? withMistake(random, text, [text]) : text;
}

function oddValue(random: Random, value: unknown, write: (value: unknown) => string): string {
	const inside = typeof value === "object" && value !== null ? Object.values(value) : [value];
	switch (random.below(6)) {
		case 0:
			return inside.length > 0 ? write(random.pick(inside.map((each) => each ?? null))) : "null";
		case 1:
			return `[${write(value)}]`;
		case 2: {
			const depth = random.below(random.below(20) === 0 ? 3000 : 30);
			const [open, close] = random.pick([
				["[", "]"],
				['{"set":[', "]}"],
				['{"concat":[', "]}"],
				['{"&":[1,', "]}"],
				['{"elem":{"val":', "}}"],
			] as const);
			return `${open.repeat(depth)}${JSON.stringify(inside[0]) ?? "1"}${close.repeat(depth)}`;
		}
		case 3:
			return `{"${random.pick(NAMES)}":${write(value)}}`;
		default:
			return random.pick(VALUES);
	}
}
