import { spawnSync } from "node:child_process";
import { accessSync, constants, existsSync, mkdtempSync, readdirSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { buildSync } from "esbuild";
import { rootfs } from "./lab/paths.ts";

/**
 * How qjs is started here: the one that the variable QJS names, by its path or as found in PATH; without it the lab's.
 * @throws Error when QJS names no program, or when there is no qjs at all
 */
export function qjsCommand(
	env: Readonly<Record<string, string | undefined>> = process.env,
): [string, ...string[]] {
	const { QJS: named, PATH: path = "" } = env;
	if (named) {
		const places = named.includes("/") ? [""] : path.split(delimiter);
		const found = places.map((place) => resolve(place, named)).find(isProgram);
		if (found === undefined) throw new Error(`QJS: ${named}: not a program`);
		return [found];
	}
	const command = rootfsCommand("qjs");
	if (command) return command;
	if (spawnSync("qjs", ["-e", "1"]).status === 0) return ["qjs"];
	throw new Error(
		"qjs: not found; `make rootfs` builds the lab's root filesystem, which has it, or QJS=PATH names one",
	);
}

/** Whether there is no qjs, and nobody to blame: only root can build the lab's. */
export function lacksQjs(): boolean {
	if (process.getuid?.() === 0 || process.env.CI === "true" || process.env.QJS) return false;
	try {
		qjsCommand();
		return false;
	} catch {
		return true;
	}
}

function isProgram(file: string): boolean {
	try {
		accessSync(file, constants.X_OK);
		return statSync(file).isFile();
	} catch {
		return false;
	}
}

/**
 * A program of the lab, started by the lab's own dynamic linker, so that no root is needed; undefined without a lab. One from
 * another world has brought its linker and libraries along, in /opt (scripts/rootfs.sh).
 */
export function rootfsCommand(program: string): [string, ...string[]] | undefined {
	const own = `opt/${program}`;
	const linkers = [own, "usr/lib64", "usr/lib"]
		.map((name) => join(rootfs, name))
		.filter((name) => existsSync(name));
	for (const directory of linkers) {
		const linker = readdirSync(directory).find((name) => /^ld-linux.*\.so/.test(name));
		if (!linker) continue;
		const libraries = readdirSync(join(rootfs, "usr/lib")).filter((name) => name.endsWith("-linux-gnu"));
		const path = [own, ...libraries.map((name) => `usr/lib/${name}`)]
			.map((name) => join(rootfs, name))
			.join(":");
		return [join(directory, linker), "--library-path", path, join(rootfs, "usr/bin", program)];
	}
	return undefined;
}

/** Bundles a module for qjs. @returns the bundle's path */
export function bundleForQjs(entry: URL): string {
	const outfile = join(mkdtempSync(join(tmpdir(), "bgpwarden-")), "bundle.js");
	buildSync({
		entryPoints: [fileURLToPath(entry)],
		outfile,
		bundle: true,
		format: "esm",
		target: "es2023",
		external: ["std", "os", "node:*"],
		logLevel: "warning",
	});
	return outfile;
}
