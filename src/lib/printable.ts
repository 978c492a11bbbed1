/**
 * Text that came from elsewhere (BIRD, MetalLB, command lines in /proc, a configuration file), made harmless for a
 * terminal and a log: one line, no escape sequences, nothing that turns the direction of writing around.
 */

// C0, DEL and C1; zero width, line and paragraph separators; bidirectional controls; byte order mark; surrogates alone.
const HARMFUL_CHARACTER =
	"[\\u0000-\\u001f\\u007f-\\u009f\\u061c\\u200b-\\u200f\\u2028-\\u202e\\u2066-\\u2069\\ufeff]" +
	"|[\\ud800-\\udbff](?![\\udc00-\\udfff])|(?<![\\ud800-\\udbff])[\\udc00-\\udfff]";
const HARMFUL = new RegExp(HARMFUL_CHARACTER, "g");
const HARMFUL_RUN = new RegExp(`(?:${HARMFUL_CHARACTER})+`, "g");
/** In next to no text: what may be harmful, or be written as an escape. */
const UNUSUAL = /[^ -~\n]|\\/;
/** How `JSON.stringify` writes control characters and surrogates alone. */
const ESCAPED = /\\[bfnrtu]/;

/**
 * The text with each harmful character written as `\x1b` or `\u202e`, cut to `limit` characters (the last one then is
 * an ellipsis).
 */
export function printable(text: string, limit = 200): string {
	// Cut first: a ten-megabyte line must not be searched as a whole.
	const head = text.length > limit * 2 ? text.slice(0, limit * 2) : text;
	const safe = head.replace(HARMFUL, (character) => {
		const code = character.charCodeAt(0);
		return code < 0x100
			? `\\x${code.toString(16).padStart(2, "0")}`
			: `\\u${code.toString(16).padStart(4, "0")}`;
	});
	const points = [...safe];
	if (points.length <= limit && head.length === text.length) return safe;
	return `${points.slice(0, limit - 1).join("")}…`;
}

/** The text as one line, however long: each run of harmful characters is a space. */
export function oneLine(text: string): string {
	return text.replace(HARMFUL_RUN, " ");
}

/**
 * JSON (RFC 8259) whose strings are each one line, for whoever prints them.
 * @param indent as that of `JSON.stringify`
 */
export function toJson(value: unknown, indent?: string): string {
	const text = JSON.stringify(value, null, indent);
	if (!UNUSUAL.test(text)) return text;
	// Next to none has such a character, and to look at each string takes much longer.
	return ESCAPED.test(text) || text.search(HARMFUL) >= 0
		? JSON.stringify(value, (_, part) => (typeof part === "string" ? oneLine(part) : part), indent)
		: text;
}

/** The same between single quotes, for error messages: `'abc'`. At most 60 characters. */
export function quoted(text: string): string {
	return `'${printable(text, 60)}'`;
}
