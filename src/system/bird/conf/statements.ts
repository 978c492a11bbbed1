import type { Token } from "./tokens.ts";

/** `words;`, `words { … }` or `words { … };`. A block ends its statement, whatever follows. */
export interface Statement {
	readonly words: readonly Token[];
	readonly block?: readonly Statement[];
	/** Words and statements, those of the block too: what it costs to read it. */
	readonly size: number;
}

const OPENING = "([";
const CLOSING = ")]";

/**
 * The statements of a file. Filters and functions are cut up in the same way, into statements that nobody asks for. Never
 * throws: what is not closed ends with the file, what was not opened is left out. Deep nesting costs no stack.
 */
export function parseStatements(tokens: readonly Token[]): readonly Statement[] {
	const top: Statement[] = [];
	/** Blocks that are open, each with the words before it. */
	const open: { words: Token[]; block: Statement[]; size: number }[] = [];
	let words: Token[] = [];
	/** Parentheses and brackets that are open: braces inside them are no blocks, as in `[ 10.0.0.0/8{16,24} ]`. */
	let depth = 0;
	const add = (statement: Statement) => {
		const current = open.at(-1);
		if (current) current.size += statement.size;
		(current?.block ?? top).push(statement);
	};
	const endStatement = () => {
		if (words.length > 0) add({ words, size: words.length + 1 });
		words = [];
		depth = 0;
	};
	const endBlock = () => {
		endStatement();
		const closed = open.pop();
		if (closed) add(closed);
	};
	for (const token of tokens) {
		const mark = token.kind === "mark" ? token.text : "";
		if (mark === ";") {
			endStatement();
			continue;
		}
		if (depth === 0 && mark === "{") {
			open.push({ words, block: [], size: words.length + 1 });
			words = [];
			continue;
		}
		if (depth === 0 && mark === "}") {
			endBlock();
			continue;
		}
		if (mark !== "" && OPENING.includes(mark)) depth++;
		if (mark !== "" && CLOSING.includes(mark)) depth = Math.max(depth - 1, 0);
		words.push(token);
	}
	while (open.length > 0) endBlock();
	endStatement();
	return top;
}
