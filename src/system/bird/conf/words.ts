/** Values in BIRD's statements. Each reader returns undefined for what it does not understand. */

import { type Address, parseAddress, unmapped } from "../../../lib/address.ts";
import { within } from "../../../lib/number.ts";
import { parsePrefix } from "../../../lib/prefix.ts";
import { type Defines, evaluate, resolve, type Value } from "./expressions.ts";
import type { Statement } from "./statements.ts";
import type { Token } from "./tokens.ts";

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

	/** Takes the first of these that comes next, its keywords with blanks between them. */
	acceptOne<Option extends readonly [string, unknown]>(options: readonly Option[]): Option | undefined {
		const { text } = this.peek() ?? {};
		if (text === undefined) return undefined;
		return options.find(([keywords]) => {
			// Most statements are none of these, and a file may have a hundred thousand.
			if (!keywords.startsWith(text)) return false;
			const [first = "", second, third] = keywords.split(" ");
			return this.accept(first, second, third);
		});
	}

	/** Takes these keywords if they come next, all of them. */
	accept(first: string, second?: string, third?: string): boolean {
		if (!this.isNext(first, 0)) return false;
		if (second !== undefined && !this.isNext(second, 1)) return false;
		if (third !== undefined && !this.isNext(third, 2)) return false;
		this.at += third !== undefined ? 3 : second !== undefined ? 2 : 1;
		return true;
	}

	private isNext(keyword: string, ahead: number): boolean {
		const token = this.statement.words[this.at + ahead];
		return token?.text === keyword && token.kind === "word";
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

	/** A whole number, of 32 bits at most. */
	number(least = 0, most = 0xffffffff): number | undefined {
		const token = this.value();
		return token?.kind === "number" ? within(Number(token.text), least, most) : undefined;
	}

	text(): string | undefined {
		const token = this.value();
		return token?.kind === "text" ? token.text : undefined;
	}

	/** IPv4-mapped addresses are IPv4 to BIRD (lib/ip.h, ipa_is_ip4). */
	address(): Address | undefined {
		const token = this.value();
		const address = token?.kind === "address" ? parseAddress(decimal(token.text)) : undefined;
		return address && unmapped(address);
	}

	/** An IPv4 address or a number, as an address (nest/config.Y, idval). */
	routerId(): string | undefined {
		const start = this.at;
		const id = this.number();
		if (id !== undefined) return [24, 16, 8, 0].map((shift) => (id >>> shift) & 0xff).join(".");
		this.at = start;
		const address = this.address();
		return address?.family === 4 ? address.text : undefined;
	}

	/** Canonical text of a prefix. */
	prefix(): string | undefined {
		const token = this.value();
		return token?.kind === "prefix" ? parsePrefix(decimal(token.text))?.text : undefined;
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

	/** One value, with constants in place of their names and `(…)` worked out; undefined where that cannot be known. */
	value(): Value | undefined {
		const { words } = this.statement;
		if (!this.acceptMark("(")) {
			const token = this.next();
			const [slash, length] = words.slice(this.at, this.at + 2);
			if (token?.kind !== "address" || slash?.text !== "/" || length?.kind !== "number")
				return token && resolve(token, this.defines);
			this.at += 2;
			return { kind: "prefix", text: `${token.text}/${length.text}` };
		}
		const start = this.at;
		let open = 1;
		for (; !this.done && open > 0; this.at++) {
			const { kind, text } = this.peek() ?? {};
			if (kind === "mark" && text === "(") open++;
			if (kind === "mark" && text === ")") open--;
		}
		return open > 0 ? undefined : evaluate(words.slice(start, this.at - 1), this.defines);
	}

	/** All that is left as one expression. */
	expression(): Value | undefined {
		const words = this.statement.words.slice(this.at);
		this.at = this.statement.words.length;
		return evaluate(words, this.defines);
	}
}

/** A dotted quad without leading zeros, which mean nothing to BIRD (lib/ip.c, ip4_pton). */
function decimal(address: string): string {
	return address.includes(".") ? address.replace(/(^|[.:])0+(?=\d)/g, "$1") : address;
}

/** The constant that a `define NAME = expression` makes, unless it cannot be known. */
export function readDefine(words: Words): readonly [string, Value] | undefined {
	const name = words.name();
	if (name === undefined || !words.acceptMark("=")) return undefined;
	const value = words.expression();
	return value && [name, value];
}
