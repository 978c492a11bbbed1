import { describe, expect, test } from "vitest";
import { parseConfig } from "../../src/config/load.ts";
import { optionHelp } from "../../src/config/option-help.ts";
import { configured } from "./commands.ts";
import { read, section, tableRows } from "./markdown.ts";

const document = read("docs/configuration.md");
const HEADINGS = {
	main: "## config bgpwarden 'main'",
	mqtt: "## config mqtt 'mqtt'",
	peer: "## config peer",
} as const;
const bare = (cell = "") => cell.replace(/^`(.*)`$/, "$1");

/** An option of a peer is one of a section that has a type of its own. */
const place = (name: string) => (name === "peer" ? "waukeen" : name);

/** The forms that a peer can have: they exclude each other. */
const address = (option: string) => option !== "range" && option !== "node_interface";
const range = (option: string) => !["address", "node", "node_interface", "source_address"].includes(option);
const unnumbered = (option: string) => !["address", "local_address", "range"].includes(option);

describe.each(Object.entries(HEADINGS))("docs/configuration.md, section %s", (name, heading) => {
	const rows = tableRows(section(document, heading));
	const options = optionHelp().filter((each) => each.section === name);

	test("has every option of the schema and no other, with its default, what it accepts and what it does", () => {
		const documented = rows.map(([option, fallback, accepts, , help]) => [option, fallback, accepts, help]);
		expect(documented).toEqual(
			options.map(({ option, fallback, expected, help }) => [
				`\`${option}\``,
				fallback === undefined ? "none" : fallback === "" ? "empty" : `\`${fallback}\``,
				expected,
				help,
			]),
		);
	});

	test("has an example for each that the loader accepts, and that is not the default", () => {
		const settings = rows.map(([option, , , example]) => [bare(option), bare(example)] as const);
		const section = name === "peer" ? ["bgpwarden.waukeen=peer"] : [];
		for (const wanted of name === "peer" ? [address, range, unnumbered] : [() => true]) {
			const lines = settings.filter(([option]) => wanted(option));
			const text = configured([
				...section,
				...lines.map(([option, example]) => `bgpwarden.${place(name)}.${option}=${example}`),
			]);
			expect(parseConfig(text, "example")).toHaveProperty("config");
		}
		for (const { option, fallback } of options)
			expect(settings.find(([each]) => each === option)?.[1]).not.toBe(fallback);
	});
});

test("the table's words are those of all sections", () => {
	const known = new Set(optionHelp().map((each) => each.section));
	expect([...known].sort()).toEqual(Object.keys(HEADINGS).sort());
});
