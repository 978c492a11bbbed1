import { readdirSync, readFileSync } from "node:fs";

/** The texts of a folder of fixtures whose names match. */
export function captures(folder: string, pattern: RegExp): string[] {
	const directory = new URL(`../fixtures/${folder}/`, import.meta.url);
	return readdirSync(directory, { withFileTypes: true })
		.filter((entry) => entry.isFile() && pattern.test(entry.name))
		.map(({ name }) => readFileSync(new URL(name, directory), "utf8"));
}

/** Every line once. */
export function lines(texts: readonly string[]): string[] {
	return [...new Set(texts.flatMap((text) => text.split("\n")))].filter((line) => line !== "");
}

/** Pieces of a few lines each, so that an input costs microseconds: whole captures are a few of many inputs. */
export function pieces(texts: readonly string[], size: number): string[] {
	return texts.flatMap((text) => {
		const all = text.split("\n");
		return Array.from(
			{ length: Math.ceil(all.length / size) },
			(_, index) => `${all.slice(index * size, (index + 1) * size).join("\n")}\n`,
		);
	});
}
