import { FileError, type Files } from "../../../platform/types.ts";

/** Names that are looked at in one expansion. */
const MOST_NAMES = 10_000;

/**
 * The paths that a pattern stands for, sorted, as glob(3) finds them with GLOB_NOESCAPE: `*`, `?` and `[…]` in each part of
 * the path, none of which match a leading dot. A pattern without any of these is its own path, there or not.
 * @param pattern an absolute path
 * @throws FileError for a directory that cannot be listed
 */
export function expandPattern(files: Files, pattern: string): string[] {
	if (!/[?*[]/.test(pattern)) return [pattern];
	let found = [""];
	let names = 0;
	for (const part of pattern.split("/").filter(Boolean)) {
		if (!/[?*[]/.test(part)) {
			found = found.map((path) => `${path}/${part}`).filter((path) => files.status(path));
			continue;
		}
		const matches = partPattern(part);
		found = found.flatMap((path) => {
			if (files.status(path || "/")?.kind !== "directory") return [];
			const list = files.list(path || "/");
			names += list.length;
			if (names > MOST_NAMES) throw new FileError("list", pattern, "too many files", false);
			return list.filter((name) => matches.test(name)).map((name) => `${path}/${name}`);
		});
	}
	return found.sort();
}

function partPattern(part: string): RegExp {
	const hidden = part.startsWith(".") ? "" : "(?!\\.)";
	const source = part.replace(
		/\[([!^]?)(\]?[^\]]*)\]|[\s\S]/g,
		(all, not: string | undefined, set: string) => {
			if (all === "*") return ".*";
			if (all === "?") return ".";
			if (all.length > 1) return `[${not ? "^" : ""}${set.replace(/[\\\]^[]/g, "\\$&")}]`;
			return all.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
		},
	);
	try {
		return new RegExp(`^${hidden}${source}$`);
	} catch {
		// A range that runs backwards matches nothing.
		return /^(?!)/;
	}
}
