/** The words of BIRD's configuration language (conf/cf-lex.l), with the included files' words in place. Pure. */

export interface Token {
	/**
	 * `word`: a keyword or a symbol; `symbol`: a symbol in apostrophes; `text`: a string; `address`: IPv4 or IPv6, not
	 * checked; `other`: a route distinguisher or a string of bytes; `mark`: punctuation, one character.
	 */
	readonly kind: "word" | "symbol" | "text" | "number" | "address" | "other" | "mark";
	/** Without quotes. */
	readonly text: string;
	/** Whether nothing stands between this one and the one before. */
	readonly joined?: boolean;
}

export interface SourceFile {
	readonly path: string;
	readonly text: string;
}

/**
 * The files that an `include` stands for, in their order.
 * @param pattern as written, perhaps with wildcards, perhaps relative to the directory of `from`
 */
export type Include = (pattern: string, from: string) => readonly SourceFile[];

/** As in BIRD (MAX_INCLUDE_DEPTH). */
const MOST_DEPTH = 8;

const INCLUDE = /[ \t]*include[ \t]*"([^"\n]+)"[ \t]*;/y;
/** One line's end at a time: what follows it may be an include. */
const SKIPPED = /\n|[ \t\r]+|#[^\n]*|\/\*[\s\S]*?(?:\*\/|$)/y;
const TEXT = /"([^"\n]*)"?/y;
const SYMBOL = /'([^'\n]*)'?/y;
/**
 * As flex has them: the longest match counts, the first of equals. Flex takes the longest of one pattern's alternatives
 * as well, a regular expression the first that fits: the longer one stands first here, or `fd00::10:2` is cut.
 */
const WORDS: readonly (readonly [Token["kind"], RegExp])[] = [
	["other", /(?:[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+|(?:[02]:)?[0-9]+):[0-9]+/y],
	["address", /[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+/y],
	["other", /hex:(?:[0-9a-fA-F]{2}(?::[0-9a-fA-F]{2})+|(?:[0-9a-fA-F]{2})*)|(?:[0-9a-fA-F]{2}){16,}/y],
	["address", /(?:(?:[0-9a-fA-F]*:){3,}|[0-9a-fA-F]*::)(?:[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+|[0-9a-fA-F]*)/y],
	["number", /0x[0-9a-fA-F]+|[0-9]+/y],
	["word", /[a-zA-Z_][a-zA-Z_0-9]*/y],
];

/** Never throws: an unfinished string ends with its line, an unknown character is a mark. */
export function tokenize(file: SourceFile, include: Include, depth = 0): Token[] {
	const { text } = file;
	const tokens: Token[] = [];
	let end = -1;
	for (let at = 0; at < text.length; ) {
		const directive = at === 0 || text[at - 1] === "\n" ? matchAt(INCLUDE, text, at) : undefined;
		if (directive) {
			const files = depth + 1 < MOST_DEPTH ? include(directive[1] ?? "", file.path) : [];
			for (const each of files) for (const token of tokenize(each, include, depth + 1)) tokens.push(token);
			at += directive[0].length;
			continue;
		}
		const skipped = matchAt(SKIPPED, text, at);
		if (skipped) {
			at += skipped[0].length;
			continue;
		}
		const { token, length } = next(text, at);
		tokens.push(at === end ? { ...token, joined: true } : token);
		at += length;
		end = at;
	}
	return tokens;
}

function next(text: string, at: number): { token: Token; length: number } {
	const quoted = matchAt(TEXT, text, at);
	if (quoted) return { token: { kind: "text", text: quoted[1] ?? "" }, length: quoted[0].length };
	const symbol = matchAt(SYMBOL, text, at);
	if (symbol) return { token: { kind: "symbol", text: symbol[1] ?? "" }, length: symbol[0].length };
	let token: Token = { kind: "mark", text: text[at] ?? "" };
	let length = 0;
	for (const [kind, pattern] of WORDS) {
		const found = matchAt(pattern, text, at)?.[0] ?? "";
		if (found.length <= length) continue;
		token = { kind, text: found };
		length = found.length;
	}
	return { token, length: Math.max(length, 1) };
}

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | undefined {
	pattern.lastIndex = at;
	return pattern.exec(text) ?? undefined;
}
