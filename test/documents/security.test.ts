import { existsSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { headings, read, root, section, tableRows } from "./markdown.ts";

/** SECURITY.md: each line says who can or cannot do what, and names the test that shows it. */
const document = read("SECURITY.md");
const LIMITS = "## What limits it";
const PARTIES = "## Who can do what";
const parties = headings(section(document, PARTIES), "###");

const rowsOf = (heading: string) =>
	tableRows(section(document, heading)).map((cells) => ({ heading: heading.replace(/^#+ /, ""), cells }));
const rows = [LIMITS, ...parties.map((party) => `### ${party}`)].flatMap(rowsOf);

/** Without line breaks, quotes of code and what a formatter may do to it. */
const plain = (text: string) => text.replace(/\s+/g, " ").replaceAll("`", "");

const links = rows.flatMap(({ heading, cells }) =>
	[...(cells.at(-1) ?? "").matchAll(/\[([^\]]+)\]\(([^)]+)\)/g)].map(([, name = "", path = ""]) => ({
		heading,
		name,
		path,
	})),
);

test("every party has both lines", () => {
	expect(parties.length).toBeGreaterThan(8);
	for (const party of parties) {
		const words = new Set(rowsOf(`### ${party}`).map(({ cells }) => cells[0]));
		expect({ party, words: [...words].sort() }).toEqual({ party, words: ["can", "cannot"] });
	}
});

describe("each line names a test", () => {
	test.each(rows)("$heading: $cells.1", ({ cells }) => {
		const named = [...(cells.at(-1) ?? "").matchAll(/\]\((test\/[^)]+)\)/g)];
		expect(named.length).toBeGreaterThan(0);
	});
});

describe("each test is there, by its name", () => {
	test.each(links)("$path: $name", ({ name, path }) => {
		expect(existsSync(root + path)).toBe(true);
		expect(plain(readFileSync(root + path, "utf8"))).toContain(plain(name));
	});
});
