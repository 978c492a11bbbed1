import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { catalogEntry, DIAGNOSES, DIAGNOSIS_CATALOG, FINDING_CATALOG } from "../../src/model/catalog.ts";

const entries = Object.entries({ ...DIAGNOSIS_CATALOG, ...FINDING_CATALOG });
const source = (folder: string) => {
	const directory = new URL(`../../src/${folder}/`, import.meta.url);
	return readdirSync(directory, { recursive: true, encoding: "utf8" })
		.filter((name) => name.endsWith(".ts"))
		.map((name) => readFileSync(new URL(name, directory), "utf8"))
		.join("\n");
};

describe("the catalog", () => {
	test("no id is both a diagnosis and a finding of its own", () => {
		expect(DIAGNOSES.filter((id) => Object.hasOwn(FINDING_CATALOG, id))).toEqual([]);
	});

	test("a parent is in the catalog, and nothing depends on itself by a detour", () => {
		const ancestors = (id: string, seen: readonly string[]): readonly string[] =>
			(catalogEntry(id)?.dependsOn ?? []).flatMap((parent) => {
				expect(catalogEntry(parent), `${id} depends on ${parent}`).toBeDefined();
				expect(seen).not.toContain(parent);
				return [parent, ...ancestors(parent, [...seen, parent])];
			});
		const depending = entries.filter(([id]) => ancestors(id, [id]).length > 0);
		expect(depending.length).toBeGreaterThan(5);
	});

	test.each(Object.keys(FINDING_CATALOG))("the doctor can find %s", (id) => {
		// What a walk through the ruleset finds, the daemon asks for as well, and it judges a session's use.
		expect(source("doctor") + source("ruleset") + source("warden/peers")).toContain(`"${id}"`);
	});

	test.each(DIAGNOSES)("the daemon can diagnose %s", (id) => {
		expect(source("warden")).toContain(`id: "${id}"`);
	});

	test("an id of another version, or of nobody, is not in it", () => {
		expect(catalogEntry("moon-full")).toBeUndefined();
		expect(catalogEntry("constructor")).toBeUndefined();
	});
});
