/**
 * What BIRD's client prints with `-v` (client/client.c and doc/reply_codes in BIRD's source): `1002-text` and
 * `0013 text`, a code before each line; five spaces before a line that has the code of the line above. The final
 * `0000` of a good answer is not printed, so that only the prompt tells a whole answer from half of one.
 */

/** One line of an answer. */
export interface ReplyLine {
	/** 0xxx done, 1xxx table entry, 2xxx heading, 8xxx run-time error, 9xxx parse error. */
	readonly code: number;
	readonly text: string;
}

/** A whole answer. */
export interface Reply {
	readonly lines: readonly ReplyLine[];
	/** BIRD's own words when it refused, e.g. `Access denied`; of its client when that knew no such command. */
	readonly error?: string;
}

/** BIRD's client waits for a command; there is no newline after this. */
export const PROMPT = "bird> ";

const CODED = /^(\d{4})([- ])(.*)$/;
const CONTINUATION = "     ";
/** Words of the client itself, which come without a code (client/commands.c). */
const CLIENT_ERROR = /^(No such command|Ambiguous command)/;
const FIRST_ERROR_CODE = 8000;

/** Takes an answer apart, line by line, as it comes: the answer about a thousand peers has megabytes. */
export class ReplyParser {
	/** Of the line taken last. */
	code = 0;
	text = "";
	/** BIRD's own words when it refused; of its client when that knew no such command. */
	error: string | undefined;
	private final = false;
	private begun = false;

	/** @returns whether the line says something, in `code` and `text`; undefined: this is no line of an answer */
	take(line: string): boolean | undefined {
		if (line.startsWith(">>> ")) return false;
		// The client's own words are all that it says.
		if (this.error !== undefined && this.code === 0) return false;
		// Nothing follows the line that ends an answer.
		if (this.final) return undefined;
		if (this.begun && line.startsWith(CONTINUATION)) {
			this.text = line.slice(CONTINUATION.length);
			if (this.code >= FIRST_ERROR_CODE) this.error ??= this.text.trim();
			return true;
		}
		if (CLIENT_ERROR.test(line)) {
			this.code = 0;
			this.error = line;
			return false;
		}
		const coded = CODED.exec(line);
		if (!coded) return undefined;
		this.begun = true;
		this.final = coded[2] === " ";
		this.code = Number(coded[1]);
		this.text = coded[3] ?? "";
		if (this.code >= FIRST_ERROR_CODE) this.error ??= this.text.trim();
		return true;
	}
}

/**
 * Takes a short answer apart.
 * @param answer everything between the command's echo and the next prompt, without both
 * @returns undefined when it is not an answer of BIRD, or only a part of one
 */
export function parseReply(answer: string): Reply | undefined {
	if (answer === "") return { lines: [] };
	if (!answer.endsWith("\n")) return undefined;
	const parser = new ReplyParser();
	const lines: ReplyLine[] = [];
	for (const line of answer.slice(0, -1).split("\n")) {
		const says = parser.take(line);
		if (says === undefined) return undefined;
		if (says) lines.push({ code: parser.code, text: parser.text });
	}
	return parser.error === undefined ? { lines } : { lines, error: parser.error };
}

/**
 * BIRD's greeting, `0001 BIRD 3.1.8 ready.`, perhaps followed by `0016 Access restricted`.
 * @returns undefined when this is no greeting of BIRD
 */
export function parseGreeting(text: string): { readonly version?: string } | undefined {
	const reply = parseReply(text.replace(/^(0001) /m, "$1-"));
	const first = reply?.lines[0];
	if (first?.code !== 1) return undefined;
	const version = /^BIRD v?(\S+) ready\./.exec(first.text)?.[1];
	return version === undefined ? {} : { version };
}

/** When BIRD took its configuration last, as `show status` prints it, in whatever form of time. */
export function parseConfigured({ lines }: Reply): string | undefined {
	for (const { text } of lines) {
		const [, time] = /^Last reconfiguration on (.+)$/.exec(text.trim()) ?? [];
		if (time !== undefined) return time;
	}
	return undefined;
}
