/** Values in BIRD's statements. Each reader returns undefined for what it does not understand. */

import { type Address, parseAddress } from "../../../lib/address.ts";
import type { Statement } from "./statements.ts";
import type { Token } from "./tokens.ts";

/** Constants of `define`, by name. */
export type Defines = ReadonlyMap<string, Token>;

/** The words of one statement, read from left to right. */
export class Words {
	private at = 0;

	constructor(
		private readonly statement: Statement,
		private readonly defines: Defines,
	) {}

	get block(): readonly Statement[] | undefined {
		return this.statement.block;
	}

	/** Whether all has been read. */
	get done(): boolean {
		return this.at >= this.statement.words.length;
	}

	/** Takes these keywords if they come next, all of them. */
	accept(...keywords: readonly string[]): boolean {
		for (const [index, keyword] of keywords.entries()) {
			const token = this.statement.words[this.at + index];
			if (token?.kind !== "word" || token.text !== keyword) return false;
		}
		this.at += keywords.length;
		return true;
	}

	acceptMark(mark: string): boolean {
		const token = this.statement.words[this.at];
		if (token?.kind !== "mark" || token.text !== mark) return false;
		this.at++;
		return true;
	}

	/** The next token as it stands. */
	next(): Token | undefined {
		return this.statement.words[this.at++];
	}

	peek(): Token | undefined {
		return this.statement.words[this.at];
	}

	/** A symbol: a word or a name in apostrophes. */
	name(): string | undefined {
		const token = this.peek();
		if (token?.kind !== "word" && token?.kind !== "symbol") return undefined;
		this.at++;
		return token.text;
	}

	/** A whole number; `(…)` and constants of `define` are followed. */
	number(): number | undefined {
		const token = this.value();
		const value = token?.kind === "number" ? Number(token.text) : undefined;
		return value !== undefined && value <= 0xffffffff ? value : undefined;
	}

	text(): string | undefined {
		const token = this.value();
		return token?.kind === "text" ? token.text : undefined;
	}

	address(): Address | undefined {
		const token = this.value();
		return token?.kind === "address" ? parseAddress(token.text) : undefined;
	}

	/** `on`, `off` and their like; silence is agreement (conf/confbase.Y, bool). */
	switch(): boolean | undefined {
		if (this.done) return true;
		const token = this.value();
		if (!token) return undefined;
		if (token.kind === "number") return Number(token.text) !== 0;
		if (["on", "yes", "true"].includes(token.text)) return true;
		return ["off", "no", "false"].includes(token.text) ? false : undefined;
	}

	/** A time with its unit, in milliseconds. */
	milliseconds(): number | undefined {
		const value = this.number();
		const unit = this.name();
		const scale = unit === "s" ? 1000 : unit === "ms" ? 1 : unit === "us" ? 0.001 : undefined;
		return value === undefined || scale === undefined ? undefined : value * scale;
	}

	/** All that is left as it was written, but for the amount of blanks. */
	rest(): string {
		const words = this.statement.words.slice(this.at);
		this.at = this.statement.words.length;
		const texts = words.map(({ kind, text, joined }) => {
			const written = kind === "text" ? `"${text}"` : kind === "symbol" ? `'${text}'` : text;
			return joined ? written : ` ${written}`;
		});
		return texts.join("").trim();
	}

	/** One value, with constants in place of their names; undefined for an expression, which is read over. */
	value(): Token | undefined {
		let open = 0;
		while (this.acceptMark("(")) open++;
		const token = this.next();
		let single = true;
		while (open > 0 && !this.done) {
			const { kind, text } = this.next() ?? { kind: "mark", text: "" };
			if (kind === "mark" && text === ")") open--;
			else single = false;
			if (kind === "mark" && text === "(") open++;
		}
		if (!single || !token) return undefined;
		const isName = token.kind === "word" || token.kind === "symbol";
		return isName ? (this.defines.get(token.text) ?? token) : token;
	}
}

/** The constant that a `define NAME = value` makes, unless its value is an expression. */
export function readDefine(words: Words): readonly [string, Token] | undefined {
	const name = words.name();
	if (name === undefined || !words.acceptMark("=")) return undefined;
	const value = words.value();
	return value && words.done ? [name, value] : undefined;
}
