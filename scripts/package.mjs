/**
 * Writes dist/bgpwarden_<version>_all.ipk, a package for OpenWrt releases with opkg, from the bundle that
 * `make build` leaves, and where apk 3 is there the .apk as well. The same input gives the same bytes;
 * SOURCE_DATE_EPOCH sets the files' time.
 *
 *     node scripts/package.mjs [--bundle FILE] [--out DIRECTORY]
 */

import { lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { whyNoApk, writeApk } from "./apk.mjs";
import { gzipTightly, ipk, sourceDateEpoch } from "./ipk.mjs";
import { readMakefile } from "./openwrt-makefile.mjs";

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const PACKAGE = join(ROOT, "openwrt-package/bgpwarden");

/** Paths of all regular files below a directory, relative to it. */
function filesBelow(directory, prefix = "") {
	return readdirSync(join(directory, prefix)).flatMap((name) => {
		const path = prefix === "" ? name : `${prefix}/${name}`;
		const status = lstatSync(join(directory, path));
		if (status.isDirectory()) return filesBelow(directory, path);
		if (!status.isFile()) throw new Error(`${join(directory, path)}: neither a file nor a directory`);
		return [path];
	});
}

/** A file of the source tree as it is installed: executable where it is so here, whatever the umask was. */
function sourceFile(path) {
	return { data: readFileSync(path), mode: lstatSync(path).mode & 0o100 ? 0o755 : 0o644 };
}

/** Everything that is installed, as the Makefile's install section lays it out. */
function installedFiles(bundlePath) {
	const directory = join(PACKAGE, "files");
	const files = new Map(filesBelow(directory).map((path) => [path, sourceFile(join(directory, path))]));
	files.set("etc/init.d/bgpwarden", sourceFile(join(ROOT, "init.d/bgpwarden")));
	const data = (path) => ({ data: readFileSync(path), mode: 0o644 });
	files.set("usr/lib/bgpwarden/bgpwarden.js", data(bundlePath));
	files.set("usr/lib/bgpwarden/LICENSES", data(bundlePath.replace(/\.js$/, ".licenses.txt")));
	const config = files.get("etc/config/bgpwarden");
	// It may hold the broker's password.
	if (config) config.mode = 0o600;
	return files;
}

function main() {
	const { values } = parseArgs({
		options: {
			bundle: { type: "string", default: join(ROOT, "dist/bgpwarden.js") },
			out: { type: "string", default: join(ROOT, "dist") },
		},
	});
	const epoch = sourceDateEpoch();
	const makefile = readMakefile(join(PACKAGE, "Makefile"));
	const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
	if (makefile.version.replace(/-r\d+$/, "") !== version)
		throw new Error(`package.json says version ${version}, the package's Makefile ${makefile.version}`);
	const contents = { ...makefile, architecture: "all", files: installedFiles(values.bundle) };
	mkdirSync(values.out, { recursive: true });
	const path = join(values.out, `bgpwarden_${makefile.version}_all.ipk`);
	const file = ipk(contents, epoch, gzipTightly);
	writeFileSync(path, file);
	process.stdout.write(`${relative(process.cwd(), path)}: ${file.length} bytes\n`);
	const reason = whyNoApk();
	if (reason) {
		process.stdout.write(`no .apk: ${reason}\n`);
		return;
	}
	const apkPath = join(values.out, `bgpwarden-${makefile.version}.apk`);
	writeApk(contents, epoch, apkPath);
	process.stdout.write(`${relative(process.cwd(), apkPath)}: ${lstatSync(apkPath).size} bytes\n`);
}

try {
	main();
} catch (error) {
	process.stderr.write(`package: ${error instanceof Error ? error.message : error}\n`);
	process.exitCode = 1;
}
