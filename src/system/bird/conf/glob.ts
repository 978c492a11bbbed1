import { fits, type Place, placeOf } from "../../../lib/wildcard.ts";
import { FileError, type Files } from "../../../platform/types.ts";

/** Characters of a path that Linux takes (PATH_MAX). */
const LONGEST = 4095;

/**
 * The paths that a pattern stands for, sorted, as glob(3) finds them with GLOB_NOESCAPE: `*`, `?` and `[…]` in each part of
 * the path, none of which match a leading dot. A pattern without any of these is its own path, there or not.
 * @param pattern an absolute path
 * @param left how many names may still be looked at; counted down
 * @throws FileError for a directory that cannot be listed, and when there are too many names
 */
export function expandPattern(files: Files, pattern: string, left = { names: 10_000 }): string[] {
	if (pattern.length > LONGEST)
		throw new FileError("list", pattern.slice(0, 80), "File name too long", false);
	if (!/[?*[]/.test(pattern)) return [pattern];
	let found = [""];
	for (const part of pattern.split("/").filter(Boolean)) {
		if (!/[?*[]/.test(part)) {
			found = found.map((path) => `${path}/${part}`).filter((path) => files.status(path));
			continue;
		}
		const places = placesOf(part);
		const isHidden = part.startsWith(".");
		found = found.flatMap((path) => {
			if (files.status(path || "/")?.kind !== "directory") return [];
			const list = files.list(path || "/");
			left.names -= list.length;
			if (left.names < 0) throw new FileError("list", pattern, "too many files", false);
			const matches = list.filter((name) => (isHidden || !name.startsWith(".")) && fits(places, name));
			return matches.map((name) => `${path}/${name}`);
		});
	}
	return found.sort();
}

function placesOf(part: string): Place[] {
	const places: Place[] = [];
	for (let at = 0; at < part.length; at++) {
		// A bracket right behind the first one, or behind its `!`, is one of the set.
		const first = at + (/[!^]/.test(part[at + 1] ?? "") ? 2 : 1);
		const end = part[at] === "[" ? part.indexOf("]", first + 1) : -1;
		places.push(end < 0 ? placeOf(part[at] ?? "") : setOf(part.slice(first, end), first > at + 1));
		if (end >= 0) at = end;
	}
	return places;
}

/** `a-z_`, or all but these. A range that runs backwards has nothing in it. */
function setOf(set: string, isOthers: boolean): Place {
	const ranges = set.match(/.-.|./gs) ?? [];
	return (character) =>
		isOthers !== ranges.some((range) => character >= (range[0] ?? "") && character <= (range.at(-1) ?? ""));
}
