import { existsSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { describe, expect, test } from "vitest";
import { DOCUMENTS, headings, proseOf, read, root } from "./markdown.ts";

/** The anchors that GitHub gives to headings. */
function anchors(path: string): string[] {
	const seen = new Map<string, number>();
	return headings(read(path)).map((heading) => {
		const slug = heading
			.toLowerCase()
			.replace(/[^\p{L}\p{N}\s_-]/gu, "")
			.replace(/\s/g, "-");
		const count = seen.get(slug) ?? 0;
		seen.set(slug, count + 1);
		return count === 0 ? slug : `${slug}-${count}`;
	});
}

interface Link {
	readonly path: string;
	readonly target: string;
}

const all = [...DOCUMENTS, "CHANGELOG.md"];
const links = all.flatMap((path): Link[] => {
	const text = read(path);
	const found = [...proseOf(text).matchAll(/\]\(([^)\s]+)\)|<img src="([^"]+)"/g)];
	return found.map(([, link, image]) => ({ path, target: link ?? image ?? "" }));
});

describe("links", () => {
	test.each(links.filter(({ target }) => !/^https?:/.test(target)))("$path: $target", ({ path, target }) => {
		const [file = "", anchor] = target.split("#");
		const found = file === "" ? path : normalize(join(dirname(path), file));
		expect(existsSync(root + found)).toBe(true);
		if (anchor !== undefined) expect(anchors(found)).toContain(anchor);
	});

	test("lead to every document", () => {
		const reached = new Set(
			links.map(({ path, target }) => normalize(join(dirname(path), target.split("#")[0] ?? ""))),
		);
		expect(DOCUMENTS.filter((path) => path !== "README.md" && !reached.has(path))).toEqual([]);
	});

	test("an anchor is what GitHub makes of a heading", () => {
		expect(anchors("docs/configuration.md")).toContain("config-bgpwarden-main");
	});
});

/** Paths of the repository, wherever they are named; those with a `*` stand for many. */
const PATH = /(?<![\w/.@'-])(?:src|test|scripts|docs|init\.d|openwrt-package|\.ci)\/[\w./@-]*(?![\w*])/g;

test.each(all)("%s names only paths that exist", (path) => {
	const named = (read(path).match(PATH) ?? []).map((name) => name.replace(/[./]+$/, ""));
	expect(named.filter((name) => !existsSync(root + name))).toEqual([]);
});

test("README.md stays short", () => {
	expect(read("README.md").trimEnd().split("\n").length).toBeLessThanOrEqual(130);
});
