import { readFileSync } from "node:fs";

/** The first fenced block of README.md after a text: what it shows is what is tested. @throws Error when there is none */
export function readmeBlock(after: string): string {
	const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");
	const start = readme.indexOf(after);
	const block = start < 0 ? null : /```\w*\n([\s\S]*?)```/.exec(readme.slice(start));
	if (!block?.[1]) throw new Error(`README.md: no block after '${after}'`);
	return block[1];
}
