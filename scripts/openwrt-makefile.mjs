/** Reads a package's Makefile of OpenWrt, so that what it says about the package is said there alone. */

import { readFileSync } from "node:fs";

/**
 * @param {string} path of a Makefile with one package, its variables assigned on one line and without references in the
 *   ones asked for here
 * @throws {Error} for what is missing
 */
export function readMakefile(path) {
	const text = readFileSync(path, "utf8");
	const optional = (name, within) => new RegExp(`^[ \\t]*${name}:=(.*)$`, "m").exec(within)?.[1];
	const variable = (name, within = text) => {
		const value = optional(name, within);
		if (value === undefined) throw new Error(`${path}: ${name} is missing`);
		return value.trim();
	};
	const block = (name) => {
		const start = text.indexOf(`define ${name}\n`);
		if (start < 0) return undefined;
		const body = text.slice(text.indexOf("\n", start) + 1);
		return body.slice(0, body.search(/^endef$/m)).replaceAll("$$", "$");
	};
	const name = variable("PKG_NAME");
	const definition = block(`Package/${name}`) ?? "";
	const lines = (of) =>
		(block(`Package/${name}/${of}`) ?? "").split("\n").flatMap((line) => line.trim() || []);
	return {
		name,
		version: `${variable("PKG_VERSION")}-r${variable("PKG_RELEASE")}`,
		license: variable("PKG_LICENSE"),
		section: variable("SECTION", definition),
		title: variable("TITLE", definition),
		depends: variable("DEPENDS", definition)
			.split(/\s+/)
			.map((each) => each.replace(/^\+/, "")),
		suggests: optional("PKG_SUGGESTS", text)?.trim().split(/\s+/) ?? [],
		description: lines("description"),
		conffiles: lines("conffiles"),
		scripts: Object.fromEntries(
			["postinst", "prerm", "postrm"].flatMap((script) => {
				const text = block(`Package/${name}/${script}`);
				return text === undefined ? [] : [[script, text]];
			}),
		),
	};
}
