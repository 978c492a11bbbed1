import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../../", import.meta.url));

/** The documents that users and contributors read, by their paths in the repository. */
export const DOCUMENTS: readonly string[] = [
	"README.md",
	"ARCHITECTURE.md",
	"CONTRIBUTING.md",
	"SECURITY.md",
	...readdirSync(`${root}docs`)
		.filter((name) => name.endsWith(".md"))
		.map((name) => `docs/${name}`),
];

export function read(path: string): string {
	return readFileSync(root + path, "utf8");
}

export interface Block {
	readonly language: string;
	readonly text: string;
}

/** The fenced blocks of a document, those in list items too. */
export function blocksOf(markdown: string): Block[] {
	return [...markdown.matchAll(/^( *)```(\w*)\n([\s\S]*?)^ *```$/gm)].map(
		([, indent = "", language = "", text = ""]) => ({
			language,
			text: text
				.split("\n")
				.map((line) => (line.startsWith(indent) ? line.slice(indent.length) : line))
				.join("\n"),
		}),
	);
}

/** A document without its fenced blocks. */
export function proseOf(markdown: string): string {
	return markdown.replace(/^( *)```\w*\n[\s\S]*?^ *```$/gm, "");
}

/** What stands in backticks in the prose. */
export function codeSpans(markdown: string): string[] {
	return [...proseOf(markdown).matchAll(/`([^`\n]+)`/g)].map(([, text = ""]) => text);
}

/** Headings of one level, without backticks. */
export function headings(markdown: string, level = "#+"): string[] {
	return [...proseOf(markdown).matchAll(new RegExp(`^${level} (.+)$`, "gm"))].map(([, text = ""]) =>
		text.replaceAll("`", ""),
	);
}

/** The part below a heading, up to the next heading of its level or above. @throws Error when there is none */
export function section(markdown: string, heading: string): string {
	const level = heading.match(/^#+/)?.[0].length ?? 0;
	const start = markdown.indexOf(`\n${heading}\n`);
	if (start < 0) throw new Error(`no heading '${heading}'`);
	const rest = markdown.slice(start + heading.length + 2);
	const end = rest.search(new RegExp(`^#{1,${level}} `, "m"));
	return end < 0 ? rest : rest.slice(0, end);
}

/** Rows of the first table, without its head: the cells' text. */
export function tableRows(markdown: string): string[][] {
	const lines = markdown.split("\n");
	const start = lines.findIndex((line) => /^\| --- /.test(line));
	if (start < 0) throw new Error("no table");
	const rest = lines.slice(start + 1);
	const end = rest.findIndex((line) => !line.startsWith("|"));
	return rest
		.slice(0, end < 0 ? rest.length : end)
		.map((line) => line.slice(2, line.lastIndexOf(" |")).split(" | "));
}

/** The first fenced block of a document after a text: what it shows is what is tested. @throws Error when there is none */
export function blockAfter(path: string, text: string): string {
	const markdown = read(path);
	const start = markdown.indexOf(text);
	const [block] = start < 0 ? [] : blocksOf(markdown.slice(start));
	if (!block) throw new Error(`${path}: no block after '${text}'`);
	return block.text;
}
