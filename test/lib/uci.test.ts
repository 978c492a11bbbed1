import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parseUci, UCI_ERROR_LIMIT, UCI_FILE_LIMIT, type UciSection } from "../../src/lib/uci.ts";

const FIXTURES = new URL("../fixtures/uci/", import.meta.url);

function sectionsOf(text: string): UciSection[] {
	const result = parseUci(text);
	if ("errors" in result) throw new Error(JSON.stringify(result.errors));
	return result.sections;
}

function errorsOf(text: string): string[] {
	const result = parseUci(text);
	return "errors" in result ? result.errors.map((error) => `${error.line}: ${error.message}`) : [];
}

/** What `uci export` prints; it leaves out options without a value. */
function exported(sections: readonly UciSection[]): string {
	const quote = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
	const blocks = sections.map((section) => {
		const name = section.name === undefined ? "" : ` ${quote(section.name)}`;
		const lines = [...section.options.values()]
			.filter((option) => option.list || option.values[0] !== "")
			.flatMap((option) =>
				option.values.map((value) => `\t${option.list ? "list" : "option"} ${option.name} ${quote(value)}\n`),
			);
		return `\nconfig ${section.type}${name}\n${lines.join("")}`;
	});
	return `package bgpwarden\n${blocks.join("")}\n`;
}

describe("the grammar", () => {
	it("is libuci's: the same file gives what `uci export` printed", () => {
		const text = readFileSync(new URL("libuci-2025-11-26-grammar.txt", FIXTURES), "utf8");
		const theirs = readFileSync(new URL("libuci-2025-11-26-grammar.export.txt", FIXTURES), "utf8");
		expect(exported(sectionsOf(text))).toBe(theirs);
	});

	it("keeps the line of each section and option, values of several lines included", () => {
		const [main, peer] = sectionsOf(
			"\nconfig a 'x'\n\toption one 'first\nsecond'\n\toption two b\\\nc\nconfig b\n",
		);
		expect(main).toMatchObject({ type: "a", name: "x", line: 2 });
		expect(main?.options.get("one")).toEqual({
			name: "one",
			values: ["first\nsecond"],
			list: false,
			line: 3,
		});
		expect(main?.options.get("two")).toMatchObject({ values: ["bc"], line: 5 });
		expect(peer).toMatchObject({ type: "b", line: 7 });
		expect(peer?.name).toBeUndefined();
	});

	it("gives a repeated option its last value and that value's line", () => {
		const [section] = sectionsOf("config a x\noption k 1\nconfig b\nconfig a x\noption k 2\n");
		expect(section?.options.get("k")).toMatchObject({ values: ["2"], line: 5 });
	});

	it.each(["", "\n\n", "# only a comment", "package bgpwarden\n"])("takes %j as an empty file", (text) => {
		expect(sectionsOf(text)).toEqual([]);
	});
});

describe("errors", () => {
	// libuci refuses every one of these texts.
	it.each([
		["option a b", "1: option: there is no 'config' line above it"],
		["list a b", "1: list: there is no 'config' line above it"],
		["config\n", "1: config: the section's type is missing"],
		["config ''\n", "1: config: the section's type is missing"],
		["config a b-c\n", "1: config: the section's name may have letters, digits and '_' only"],
		["config 'a b'\n", "1: config: the section's type has a character that is not allowed"],
		["config a b c\n", "1: config: too many words (quote a value that has spaces)"],
		["config a\noption\n", "2: option: the name is missing"],
		["config a\noption a-b c\n", "2: option: the name may have letters, digits and '_' only"],
		["config a\noption b two words\n", "2: option: too many words (quote a value that has spaces)"],
		["config a x\nconfig b x\n", "2: config: 'x' is already a section of type 'a' (line 1)"],
		["config a\n\n option b 'c\n\n", "3: a ' is opened here and never closed"],
		['config a\noption b "c\\"\n', '2: a " is opened here and never closed'],
		["confg a\n", "1: expected 'config', 'option', 'list' or a comment"],
		["config a\noption b 'c';\n", "2: a command must follow ';'"],
		["package a b\n", "1: package: too many words (quote a value that has spaces)"],
		["package 'a/b'\n", "1: package: the name may have letters, digits, '_' and '-' only"],
		["\ufeffconfig a\n", "1: the file begins with a byte order mark: save it without"],
	])("%j", (text, error) => {
		expect(errorsOf(text)).toEqual([error]);
	});

	it("come for every bad line of the file, and options below a bad section are not blamed", () => {
		expect(
			errorsOf("config a b c\noption x 1\nbad\nconfig a\noption y 1 2\n").map((line) => line.split(":")[0]),
		).toEqual(["1", "3", "5"]);
	});

	it("stop at a limit", () => {
		expect(errorsOf("bad\n".repeat(1000))).toHaveLength(UCI_ERROR_LIMIT);
	});
});

describe("what is no configuration file", () => {
	it("is one error when it is binary", () => {
		expect(errorsOf("config a\n\x7fELF\x02\x01\x00\x00")).toEqual([
			"2: not a text file (it contains the character 0x02)",
		]);
	});

	it("is one error when it is giant", () => {
		expect(errorsOf("x".repeat(UCI_FILE_LIMIT + 1))).toEqual([
			`1: larger than ${UCI_FILE_LIMIT} characters, not a configuration file`,
		]);
	});

	it("is an error where a value is not UTF-8, not where a comment is", () => {
		expect(errorsOf("config a # caf\ufffd\noption b 'caf\ufffd'\n")).toEqual([
			"2: option b: the value is not UTF-8",
		]);
	});
});
