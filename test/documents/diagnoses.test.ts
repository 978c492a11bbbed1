import { expect, test } from "vitest";
import { catalogEntry, DIAGNOSES, FINDING_CATALOG } from "../../src/model/catalog.ts";
import { headings, read, section } from "./markdown.ts";

const document = read("docs/diagnoses.md");
const described = (heading: string) => headings(section(document, heading), "###");

test("every diagnosis has its heading, the gravest first, and no heading is without a diagnosis", () => {
	expect(described("## Diagnoses")).toEqual(DIAGNOSES);
});

test("every finding has its heading, and no heading is without a finding", () => {
	expect(described("## Findings").sort()).toEqual(Object.keys(FINDING_CATALOG).sort());
});

test.each([...DIAGNOSES.filter((id) => id !== "healthy"), ...Object.keys(FINDING_CATALOG)])(
	"%s has its gravity, and whether the daemon tries to cure it",
	(id) => {
		const entry = catalogEntry(id);
		const text = section(document, `### ${id}`);
		const [gravity = ""] = /^\*[^*]+\*/.exec(text.trim()) ?? [];
		expect(gravity).toContain(entry?.gravity);
		expect(gravity.includes("cure")).toBe(entry?.curable === true);
	},
);
