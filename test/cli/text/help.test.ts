import { describe, expect, it } from "vitest";
import { parseArguments } from "../../../src/cli/arguments.ts";
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

	it.each([
		"run",
		"check",
		"status",
		"peers",
		"doctor",
		"events",
		"ensure",
		"flush",
		"restart PEER",
		"render nft",
		"render bird",
		"render metallb",
		"render frr",
	])("explains %s", (command) => {
		expect(HELP).toMatch(new RegExp(`^ {2}${command} .*  ?[a-z]`, "m"));
		expect(parseArguments(command.split(" ")).verb).toBe(command.split(" ")[0]);
	});
});

it("usageText is the mistake and where to look", () => {
	expect(usageText("unknown command 'x'")).toBe(
		"bgpwarden: unknown command 'x'\nbgpwarden --help explains the commands.\n",
	);
});
