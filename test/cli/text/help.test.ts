import { describe, expect, it } from "vitest";
import { OPTIONS, parseArguments, RENDERED, VERBS } from "../../../src/cli/arguments.ts";
import { HELP, usageText } from "../../../src/cli/text/help.ts";

describe("HELP", () => {
	it("fits a terminal of 110 columns and ends with its line", () => {
		expect(Math.max(...HELP.split("\n").map((line) => line.length))).toBeLessThanOrEqual(110);
		expect(HELP.endsWith("\n")).toBe(true);
	});

	it("has only examples that the command line takes", () => {
		const examples = [...HELP.matchAll(/^ {2}bgpwarden ([^|\n]*)/gm)].map((match) => (match[1] ?? "").trim());
		expect(examples.length).toBeGreaterThan(3);
		for (const example of examples)
			expect(parseArguments(example.split(" ")).verb).toBe(example.split(" ")[0]);
	});

	// What `render` renders is four commands to a person.
	const commands = VERBS.flatMap((verb) =>
		verb === "render" ? RENDERED.map((what) => `render ${what}`) : [verb],
	);

	it.each([...commands, "help"])("explains %s", (command) => {
		expect(HELP).toMatch(
			new RegExp(`^ {2}${command}(?: [A-Z[][^ ]*| \\[[^\\]]*\\])*(?: {2,}|\n +)[a-z]`, "m"),
		);
	});

	it("names every option of the command line", () => {
		for (const option of OPTIONS) expect(HELP).toContain(option);
	});
});

it("usageText is the mistake and where to look", () => {
	expect(usageText("unknown command 'x'")).toBe(
		"bgpwarden: unknown command 'x'\nbgpwarden --help explains the commands.\n",
	);
});
