/**
 * Makes dist/feed out of the packages in dist: a folder for each architecture, holding its .ipk, those for all, and
 * opkg's index of them (`Packages`, `Packages.gz`), so that on a router
 *
 *     echo 'src/gz bgpwarden file:///tmp/feed/mips_24kc' >> /etc/opkg/customfeeds.conf
 *
 * (or a web server's URL) and `opkg update && opkg install bgpwarden` install from it, after `opkg-key add
 * bgpwarden.pub`: opkg takes no index that is not signed. The key is FEED_KEY, an Ed25519 key in PEM, or one that is made
 * and kept in .tools.
 *
 *     node scripts/feed.mjs [--from DIRECTORY] [--out DIRECTORY] [--key FILE]
 */

import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { gunzipSync } from "node:zlib";
import { gzip } from "./ipk.mjs";
import { openKey } from "./usign.mjs";
import { member } from "./ustar.mjs";

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), "..");

/** A package's entry in the index: its control file with what opkg needs to fetch it (libopkg/pkg_parse.c). */
function entry(name, ipk) {
	const control = member(gunzipSync(member(gunzipSync(ipk), "./control.tar.gz")), "./control").toString(
		"utf8",
	);
	const located = [
		`Filename: ${name}`,
		`Size: ${ipk.length}`,
		`SHA256sum: ${createHash("sha256").update(ipk).digest("hex")}`,
	];
	return control.replace(/^Description:/m, `${located.join("\n")}\nDescription:`);
}

function main() {
	const { values } = parseArgs({
		options: {
			from: { type: "string", default: join(ROOT, "dist") },
			out: { type: "string", default: join(ROOT, "dist/feed") },
			key: { type: "string", default: process.env.FEED_KEY ?? join(ROOT, ".tools/feed-key.pem") },
		},
	});
	const names = readdirSync(values.from)
		.filter((name) => name.endsWith(".ipk"))
		.sort();
	if (names.length === 0) throw new Error(`${values.from}: no .ipk in it (make package package-quickjs)`);
	const architectureOf = (name) => /^[^_]+_[^_]+_(.+)\.ipk$/.exec(name)?.[1];
	const own = new Set(names.map(architectureOf).filter((architecture) => architecture !== "all"));
	const key = openKey(values.key);
	rmSync(values.out, { recursive: true, force: true });
	for (const architecture of own.size > 0 ? own : ["all"]) {
		const taken = names.filter((name) => ["all", architecture].includes(architectureOf(name)));
		const directory = join(values.out, architecture);
		mkdirSync(directory, { recursive: true });
		const entries = taken.map((name) => `${entry(name, readFileSync(join(values.from, name)))}\n`);
		const index = Buffer.from(entries.join(""));
		for (const name of taken) copyFileSync(join(values.from, name), join(directory, name));
		writeFileSync(join(directory, "Packages"), index);
		writeFileSync(join(directory, "Packages.gz"), gzip(index));
		writeFileSync(join(directory, "Packages.sig"), key.sign(index));
		process.stdout.write(`${relative(process.cwd(), directory)}: ${taken.join(", ")}\n`);
	}
	const publicKey = join(values.out, "bgpwarden.pub");
	writeFileSync(publicKey, key.publicKey);
	process.stdout.write(`${relative(process.cwd(), publicKey)}: key ${key.number}\n`);
}

try {
	main();
} catch (error) {
	process.stderr.write(`feed: ${error instanceof Error ? error.message : error}\n`);
	process.exitCode = 1;
}
