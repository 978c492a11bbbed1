import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

/** BGP's and BFD's ports stand in one file; everybody else names them. */
test("no other file of src has a port of BGP's or BFD's as a number", () => {
	const source = new URL("../src/", import.meta.url);
	const files = readdirSync(source, { recursive: true, encoding: "utf8" }).filter(
		(name) => name.endsWith(".ts") && name !== "model/ports.ts",
	);
	const literals = files.flatMap((name) =>
		readFileSync(new URL(name, source), "utf8")
			.replace(/\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/.*$/gm, "")
			.split("\n")
			.filter((line) => /\b(?:179|3784|3785|4784)\b/.test(line))
			.map((line) => `${name}: ${line.trim()}`),
	);
	expect(files.length).toBeGreaterThan(150);
	expect(literals).toEqual([]);
});
