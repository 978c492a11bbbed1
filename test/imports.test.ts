import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

/** The floors of `src/`, the top one first; see ARCHITECTURE.md. What shares a floor does not import one another. */
const FLOORS: readonly (readonly string[])[] = [
	["main.ts"],
	["cli"],
	["daemon.ts", "doctor"],
	["system"],
	["report"],
	["log.ts"],
	["config"],
	["warden", "ruleset", "render", "platform"],
	["model"],
	["lib"],
];

const source = fileURLToPath(new URL("../src/", import.meta.url));
const room = (file: string) => file.split("/", 1)[0] ?? "";
const floorOf = (file: string) => FLOORS.findIndex((rooms) => rooms.includes(room(file)));

/** What each file imports of the project's own, types too. */
const imports = new Map<string, string[]>();
for (const file of readdirSync(source, { recursive: true, encoding: "utf8" })) {
	if (!file.endsWith(".ts") || file.endsWith(".d.ts")) continue;
	const text = readFileSync(join(source, file), "utf8");
	const named = [...text.matchAll(/(?:from|import|import\()\s*"(\.[^"]+)"/g)];
	imports.set(
		file,
		named.map(([, path = ""]) => relative(source, join(source, dirname(file), path))),
	);
}

test("imports go down, never up and never sideways", () => {
	const wrong = [...imports].flatMap(([from, targets]) =>
		targets
			.filter((to) => floorOf(from) < 0 || (room(from) !== room(to) && floorOf(from) >= floorOf(to)))
			.map((to) => `${from} > ${to}`),
	);
	expect(imports.size).toBeGreaterThan(150);
	expect(wrong).toEqual([]);
});

test("no file imports itself by a detour", () => {
	const done = new Set<string>();
	const visit = (file: string, path: readonly string[]): string[] => {
		if (path.includes(file)) return [[...path.slice(path.indexOf(file)), file].join(" > ")];
		if (done.has(file)) return [];
		const found = (imports.get(file) ?? []).flatMap((next) => visit(next, [...path, file]));
		done.add(file);
		return found;
	};
	expect([...imports.keys()].flatMap((file) => visit(file, []))).toEqual([]);
});
