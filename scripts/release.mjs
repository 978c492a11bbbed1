/**
 * Writes dist/bgpwarden-<version>.tar.gz: this repository's files with the bundle prebuilt in dist, which OpenWrt's SDK
 * makes the package from (openwrt-package/bgpwarden/Makefile). The same files give the same bytes.
 *
 *     node scripts/release.mjs [--bundle FILE] [--out DIRECTORY]
 */

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
	existsSync,
	lstatSync,
	mkdirSync,
	readdirSync,
	readFileSync,
	statSync,
	writeFileSync,
} from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { gzip, sourceDateEpoch } from "./ipk.mjs";
import { ustar } from "./ustar.mjs";

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), "..");

/** What belongs to the repository: what git lists or, in a tarball of it, all that .gitignore does not name. */
function sources() {
	if (existsSync(join(ROOT, ".git"))) {
		const args = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
		const listed = execFileSync("git", args, { cwd: ROOT, encoding: "utf8" });
		return listed.split("\0").filter((path) => path !== "");
	}
	const ignored = readFileSync(join(ROOT, ".gitignore"), "utf8").split("\n").filter(Boolean);
	const top = readdirSync(ROOT).filter((name) => !ignored.includes(`/${name}/`) && !name.endsWith(".log"));
	return top.flatMap((name) =>
		statSync(join(ROOT, name)).isDirectory()
			? readdirSync(join(ROOT, name), { recursive: true, withFileTypes: true })
					.filter((entry) => !entry.isDirectory() && !entry.name.endsWith(".log"))
					.map((entry) => relative(ROOT, join(entry.parentPath, entry.name)))
			: [name],
	);
}

function main() {
	const { values } = parseArgs({
		options: {
			bundle: { type: "string", default: join(ROOT, "dist/bgpwarden.js") },
			out: { type: "string", default: join(ROOT, "dist") },
		},
	});
	const built = {
		"dist/bgpwarden.js": values.bundle,
		"dist/bgpwarden.licenses.txt": values.bundle.replace(/\.js$/, ".licenses.txt"),
	};
	const locate = (path) => built[path] ?? join(ROOT, path);
	const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
	const top = `bgpwarden-${version}`;
	const paths = [...new Set([...sources(), ...Object.keys(built)])]
		// Deleted and not yet committed.
		.filter((path) => lstatSync(locate(path), { throwIfNoEntry: false }))
		.sort();
	const directories = new Set([`${top}/`]);
	for (const path of paths) {
		for (let end = path.indexOf("/"); end >= 0; end = path.indexOf("/", end + 1))
			directories.add(`${top}/${path.slice(0, end)}/`);
	}
	const entries = [
		...[...directories].map((name) => ({ name, mode: 0o755 })),
		...paths.map((path) => {
			const status = lstatSync(locate(path));
			if (!status.isFile()) throw new Error(`${path}: not a file`);
			const mode = status.mode & 0o100 ? 0o755 : 0o644;
			return { name: `${top}/${path}`, mode, data: readFileSync(locate(path)) };
		}),
	].sort((left, right) => (left.name < right.name ? -1 : 1));
	const file = gzip(ustar(entries, sourceDateEpoch()));
	mkdirSync(values.out, { recursive: true });
	const output = join(values.out, `${top}.tar.gz`);
	writeFileSync(output, file);
	const sum = createHash("sha256").update(file).digest("hex");
	process.stdout.write(`${relative(process.cwd(), output)}: ${file.length} bytes, sha256 ${sum}\n`);
}

try {
	main();
} catch (error) {
	process.stderr.write(`release: ${error instanceof Error ? error.message : error}\n`);
	process.exitCode = 1;
}
