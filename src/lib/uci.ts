/**
 * OpenWrt's configuration file grammar, as libuci reads it (openwrt/uci: file.c, util.c) when it loads
 * /etc/config/NAME: what libuci refuses is refused here, what it accepts has the same value here. Options keep
 * their lines, so that an error can name them.
 */

import { printable, quoted } from "./printable.ts";

export interface UciOption {
	readonly name: string;
	/** One value for `option`, any number for `list`. `[""]` for an option without a value: libuci drops those. */
	readonly values: readonly string[];
	readonly list: boolean;
	/** Line of the statement that set it last, from 1. */
	readonly line: number;
}

export interface UciSection {
	readonly type: string;
	/** Absent for an anonymous section. */
	readonly name?: string;
	/** Line of its first `config` statement. */
	readonly line: number;
	/** By name, in the order of first appearance. */
	readonly options: ReadonlyMap<string, UciOption>;
}

export interface UciError {
	readonly line: number;
	readonly message: string;
}

/** Larger files are refused unread, in characters. Real ones have some hundred. */
export const UCI_FILE_LIMIT = 262_144;
/** Errors reported for one file. */
export const UCI_ERROR_LIMIT = 20;

/**
 * Parses a whole file. libuci gives up at the first error; here the following lines are looked at as well, so that
 * all mistakes can be mended at once. Never throws.
 */
export function parseUci(text: string): { sections: UciSection[] } | { errors: UciError[] } {
	if (text.length > UCI_FILE_LIMIT)
		return {
			errors: [{ line: 1, message: `larger than ${UCI_FILE_LIMIT} characters, not a configuration file` }],
		};
	const binary = BINARY.exec(text);
	if (binary) {
		const code = binary[0].charCodeAt(0).toString(16).padStart(2, "0");
		const line = text.slice(0, binary.index).split("\n").length;
		return { errors: [{ line, message: `not a text file (it contains the character 0x${code})` }] };
	}
	const file = new UciFile(text);
	file.parse();
	return file.errors.length > 0 ? { errors: file.errors } : { sections: [...file.sections] };
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what makes a file binary
const BINARY = /[\x00-\x08\x0e-\x1f]/;
const NAME = /^[A-Za-z0-9_]+$/;
const TYPE = /^[!-~]+$/;
const PACKAGE = /^[A-Za-z0-9_-]+$/;
const BLANKS = " \t\r\v\f";

const COMMANDS: Readonly<Record<string, "package" | "config" | "option" | "list">> = {
	package: "package",
	p: "package",
	config: "config",
	c: "config",
	option: "option",
	o: "option",
	list: "list",
	l: "list",
};

interface OpenSection extends UciSection {
	type: string;
	options: Map<string, OpenOption>;
}

interface OpenOption extends UciOption {
	readonly values: string[];
	list: boolean;
	line: number;
}

class Refused extends Error {
	constructor(
		readonly line: number,
		message: string,
	) {
		super(message);
	}
}

class UciFile {
	readonly sections: OpenSection[] = [];
	readonly errors: UciError[] = [];
	private readonly named = new Map<string, OpenSection>();
	private section: OpenSection | undefined;
	private position = 0;
	private line = 1;
	/** Where the statement being read began. */
	private statementLine = 1;
	/** Whether the word read last was a semicolon, which ends a statement. */
	private semicolon = false;

	constructor(private readonly text: string) {}

	parse(): void {
		while (this.position < this.text.length && this.errors.length < UCI_ERROR_LIMIT) {
			try {
				this.parseLine();
			} catch (error) {
				if (!(error instanceof Refused)) throw error;
				this.errors.push({ line: error.line, message: error.message });
			}
			this.skipToLineEnd();
			this.position++;
			this.line++;
		}
	}

	private parseLine(): void {
		this.skip(BLANKS);
		this.semicolon = false;
		for (;;) {
			this.skip(" \t");
			this.statementLine = this.line;
			const start = this.position;
			while (!this.atLineEnd() && !" \t".includes(this.current())) this.position++;
			const word = this.text.slice(start, this.position);
			if (word.startsWith("#")) return;
			if (word === "") {
				// libuci takes the line end after "; " for a command of its own, except at the end of the file.
				if (this.semicolon && this.current() === "\n") throw this.refused("a command must follow ';'");
				return;
			}
			const command = Object.hasOwn(COMMANDS, word) ? COMMANDS[word] : undefined;
			if (command === undefined) {
				const hint = word.startsWith("\ufeff")
					? "the file begins with a byte order mark: save it without"
					: "";
				throw this.refused(hint || "expected 'config', 'option', 'list' or a comment");
			}
			if (command === "package") this.parsePackage();
			else if (command === "config") this.parseConfig();
			else this.parseOption(command === "list");
			if (!this.semicolon) return;
		}
	}

	/** Read and ignored, as libuci does in a file that is one package by its own name. */
	private parsePackage(): void {
		const name = this.readWord();
		if (name === "") throw this.refused("package: the name is missing");
		if (!PACKAGE.test(name))
			throw this.refused("package: the name may have letters, digits, '_' and '-' only");
		this.expectEnd("package");
	}

	private parseConfig(): void {
		// Options below a refused section belong to it, not to the one before.
		this.section = { type: "", line: this.statementLine, options: new Map() };
		const type = this.readWord();
		if (type === "") throw this.refused("config: the section's type is missing");
		if (!TYPE.test(type))
			throw this.refused("config: the section's type has a character that is not allowed");
		const name = this.readWord();
		if (name !== "" && !NAME.test(name))
			throw this.refused("config: the section's name may have letters, digits and '_' only");
		this.expectEnd("config");
		if (name === "") {
			this.section.type = type;
			this.sections.push(this.section);
			return;
		}
		const earlier = this.named.get(name);
		if (earlier && earlier.type !== type)
			throw this.refused(
				`config: ${quoted(name)} is already a section of type ${quoted(earlier.type)} (line ${earlier.line})`,
			);
		this.section = earlier ?? { type, name, line: this.statementLine, options: new Map() };
		if (earlier) return;
		this.named.set(name, this.section);
		this.sections.push(this.section);
	}

	private parseOption(list: boolean): void {
		const command = list ? "list" : "option";
		if (!this.section) throw this.refused(`${command}: there is no 'config' line above it`);
		const name = this.readWord();
		if (name === "") throw this.refused(`${command}: the name is missing`);
		if (!NAME.test(name)) throw this.refused(`${command}: the name may have letters, digits and '_' only`);
		const value = this.readWord();
		this.expectEnd(command);
		if (value.includes("\ufffd"))
			throw this.refused(`${command} ${printable(name, 60)}: the value is not UTF-8`);
		const options = this.section.options;
		const earlier = options.get(name);
		const earlierIsSet = earlier !== undefined && (earlier.list || earlier.values[0] !== "");
		// uci_set() with an empty value changes nothing, so an earlier value stays.
		if (!list && value === "" && earlierIsSet) return;
		const line = this.statementLine;
		if (list && earlierIsSet) {
			// In place: copies take a time that grows with the square of the lines.
			earlier.values.push(value);
			Object.assign(earlier, { list, line });
			return;
		}
		if (!earlierIsSet) options.delete(name);
		options.set(name, { name, values: [value], list, line });
	}

	private expectEnd(command: string): void {
		if (this.readWord() !== "")
			throw this.refused(`${command}: too many words (quote a value that has spaces)`);
	}

	/** The next word of the statement, unquoted; empty at its end. Consumes the `;` that ends it. */
	private readWord(): string {
		this.skip(BLANKS);
		this.semicolon = false;
		if (this.current() === ";") {
			this.position++;
			this.semicolon = true;
			return "";
		}
		let word = "";
		let plain = true;
		while (!this.atLineEnd() && !BLANKS.includes(this.current())) {
			const character = this.current();
			if (character === "'" || character === '"') {
				word += this.readQuoted(character);
				plain = false;
			} else if (character === "#") {
				this.skipToLineEnd();
			} else if (character === ";") {
				// libuci ends a word in its own buffer: right behind a plain word that overwrites the semicolon, and
				// the rest of the line is lost.
				if (plain) this.skipToLineEnd();
				return word;
			} else if (character === "\\") {
				word += this.readEscape();
				plain = false;
			} else {
				word += character;
				this.position++;
			}
		}
		return word;
	}

	private readQuoted(quote: string): string {
		const line = this.line;
		let piece = "";
		this.position++;
		for (;;) {
			const character = this.current();
			if (character === "") throw new Refused(line, `a ${quote} is opened here and never closed`);
			if (character === "\\" && quote === '"') {
				piece += this.readEscape();
				continue;
			}
			this.position++;
			if (character === quote) return piece;
			if (character === "\n") this.line++;
			piece += character;
		}
	}

	/** A backslash: at the end of a line it joins the next one, elsewhere it takes the next character as it is. */
	private readEscape(): string {
		this.position++;
		if (this.text.startsWith("\r\n", this.position)) this.position++;
		const character = this.current();
		if (character === "") return "";
		this.position++;
		if (character !== "\n") return character;
		this.line++;
		return "";
	}

	private refused(message: string): Refused {
		return new Refused(this.statementLine, message);
	}

	private current(): string {
		return this.text[this.position] ?? "";
	}

	private atLineEnd(): boolean {
		return this.current() === "" || this.current() === "\n";
	}

	private skip(characters: string): void {
		while (this.current() !== "" && characters.includes(this.current())) this.position++;
	}

	private skipToLineEnd(): void {
		while (!this.atLineEnd()) this.position++;
	}
}
