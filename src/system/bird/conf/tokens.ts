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
 * @param depth files that the included ones are inside of
 */
export type Include = (pattern: string, from: string, depth: number) => readonly SourceFile[];

/** Of files inside of files: as in BIRD, which refuses a configuration with more (MAX_INCLUDE_DEPTH). */
export const MOST_DEPTH = 8;

const INCLUDE = /[ \t]*include[ \t]*"([^"\n]+)"[ \t]*;/y;
/** One line's end at a time: what follows it may be an include. */
const SKIPPED = /\n|[ \t\r]+|#[^\n]*|\/\*[\s\S]*?(?:\*\/|$)/y;
const BLANKS = " \t\r";
const MARKS = ";{}()[],=";
/** A word, a number or a mark that nothing longer begins with: nearly everything is, and all of `WORDS` costs ten times as much. */
const PLAIN = /([a-zA-Z_]\w{0,30}(?![\w:]))|([0-9]{1,9}(?![\w.:]))|([^\w\s"':/#])/y;
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

/** Tokens by their text. Equal ones are one object: with 1,000 peers that saves 2 MB. */
interface KnownTokens {
	readonly apart: Map<string, Token>;
	readonly joined: Map<string, Token>;
}

/** Never throws: an unfinished string ends with its line, an unknown character is a mark. */
export function tokenize(
	file: SourceFile,
	include: Include,
	depth = 0,
	known: KnownTokens = { apart: new Map(), joined: new Map() },
): Token[] {
	const { text } = file;
	const tokens: Token[] = [];
	/** Of the token before. */
	let end = -1;
	let at = 0;
	const add = (kind: Token["kind"], word: string, length = word.length) => {
		const isJoined = at === end;
		const equals = isJoined ? known.joined : known.apart;
		let token = equals.get(word);
		if (token?.kind !== kind) {
			token = isJoined ? { kind, text: word, joined: true } : { kind, text: word };
			equals.set(word, token);
		}
		tokens.push(token);
		end = at + length;
		return length;
	};
	while (at < text.length) {
		const directive = at === 0 || text[at - 1] === "\n" ? matchAt(INCLUDE, text, at) : undefined;
		if (directive) {
			const files = depth < MOST_DEPTH ? include(directive[1] ?? "", file.path, depth + 1) : [];
			for (const each of files)
				for (const token of tokenize(each, include, depth + 1, known)) tokens.push(token);
			at += directive[0].length;
			continue;
		}
		const character = text[at] ?? "";
		if (BLANKS.includes(character)) {
			at++;
			continue;
		}
		if (MARKS.includes(character)) {
			at += add("mark", character);
			continue;
		}
		const [, word, number, mark] = matchAt(PLAIN, text, at) ?? [];
		if (word !== undefined) at += add("word", word);
		else if (number !== undefined) at += add("number", number);
		else if (mark !== undefined) at += add("mark", mark);
		else {
			const skipped = matchAt(SKIPPED, text, at)?.[0].length;
			at += skipped ?? add(...next(text, at));
		}
	}
	return tokens;
}

/** Kind, text and length of the token that begins here. */
function next(text: string, at: number): [kind: Token["kind"], text: string, length: number] {
	const quoted = matchAt(TEXT, text, at);
	if (quoted) return ["text", quoted[1] ?? "", quoted[0].length];
	const symbol = matchAt(SYMBOL, text, at);
	if (symbol) return ["symbol", symbol[1] ?? "", symbol[0].length];
	let kind: Token["kind"] = "mark";
	let longest = "";
	for (const [each, pattern] of WORDS) {
		const found = matchAt(pattern, text, at)?.[0] ?? "";
		if (found.length > longest.length) [kind, longest] = [each, found];
	}
	return [kind, longest || (text[at] ?? ""), longest.length || 1];
}

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | undefined {
	pattern.lastIndex = at;
	return pattern.exec(text) ?? undefined;
}
