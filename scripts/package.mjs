/**
 * Writes dist/bgpwarden_<version>_all.ipk, a package for OpenWrt releases with opkg, from the bundle that
 * `make build` leaves. The same input gives the same bytes; SOURCE_DATE_EPOCH sets the files' time.
 *
 *     node scripts/package.mjs [--bundle FILE] [--out DIRECTORY]
 */

import { lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";
import { ustar } from "./ustar.mjs";

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const FILES = join(ROOT, "openwrt-package/bgpwarden/files");
/** Counted up when the package changes and the program does not. */
const RELEASE = 1;
/** 2026-01-01, when SOURCE_DATE_EPOCH is not set. */
const DEFAULT_EPOCH = 1_767_225_600;

/** What the package depends on (names of OpenWrt's packages). */
const DEPENDS = [
	// Provided by nftables-json, which firewall4 brings along, and by nftables-nojson.
	"nftables",
	"conntrack",
];
/**
 * opkg installs what is recommended if it can be had and goes on if not: the releases that use opkg do not have
 * quickjs in their own feeds, and a qjs from elsewhere is as good.
 */
const RECOMMENDS = ["quickjs"];

/** Configuration of the router's owner: kept by an upgrade. */
const CONFFILES = ["/etc/config/bgpwarden"];

const DESCRIPTION = [
	"Keeps BGP sessions between this router and a Kubernetes cluster alive",
	"Guards an nftables table that keeps BGP and BFD out of connection tracking,",
	"removes stale conntrack entries, restarts stuck peers in BIRD and reports over",
	"MQTT. Needs qjs (QuickJS 2025-04-26 or newer) and BIRD with its client birdcl",
	"(bird2cl or bird3cl).",
];

/** As include/package-pack.mk of OpenWrt writes them: services are enabled and started, stopped and disabled. */
const POSTINST = `#!/bin/sh
[ "\${IPKG_NO_SCRIPT}" = "1" ] && exit 0
[ -s "\${IPKG_INSTROOT}/lib/functions.sh" ] || exit 0
. "\${IPKG_INSTROOT}/lib/functions.sh"
default_postinst "$0" "$@"
`;
const PRERM = `#!/bin/sh
[ -s "\${IPKG_INSTROOT}/lib/functions.sh" ] || exit 0
. "\${IPKG_INSTROOT}/lib/functions.sh"
default_prerm "$0" "$@"
`;

/** Modes by place; opkg applies them to what it installs. */
function modeOf(path) {
	// It may hold the broker's password.
	if (path.startsWith("etc/config/")) return 0o600;
	return path.startsWith("usr/sbin/") || path.startsWith("etc/init.d/") ? 0o755 : 0o644;
}

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

/** Everything that is installed: path on the router, without the leading slash, to content. */
function contents(bundlePath) {
	const files = new Map(filesBelow(FILES).map((path) => [path, readFileSync(join(FILES, path))]));
	files.set("etc/init.d/bgpwarden", readFileSync(join(ROOT, "init.d/bgpwarden")));
	files.set("usr/lib/bgpwarden/bgpwarden.js", readFileSync(bundlePath));
	files.set("usr/lib/bgpwarden/LICENSES", readFileSync(bundlePath.replace(/\.js$/, ".licenses.txt")));
	return files;
}

/** The archive's entries: each directory before what is in it, sorted. */
function dataEntries(files) {
	const directories = new Set(["./"]);
	for (const path of files.keys()) {
		for (let end = path.indexOf("/"); end >= 0; end = path.indexOf("/", end + 1))
			directories.add(`./${path.slice(0, end)}/`);
	}
	const entries = [
		...[...directories].map((name) => ({ name, mode: 0o755 })),
		...[...files].map(([path, data]) => ({ name: `./${path}`, mode: modeOf(path), data })),
	];
	return entries.sort((left, right) => (left.name < right.name ? -1 : 1));
}

function control(version, installedSize) {
	const [title, ...paragraphs] = DESCRIPTION;
	return [
		"Package: bgpwarden",
		`Version: ${version}`,
		`Depends: ${DEPENDS.join(", ")}`,
		`Recommends: ${RECOMMENDS.join(", ")}`,
		"License: MIT",
		"Section: net",
		"Architecture: all",
		`Installed-Size: ${installedSize}`,
		`Description: ${title}`,
		...paragraphs.map((line) => ` ${line}`),
		"",
	].join("\n");
}

/** gzip without a time and with a fixed system byte (RFC 1952 section 2.3.1), whatever zlib was built for. */
function gzip(data) {
	const compressed = gzipSync(data, { level: 9 });
	compressed.writeUInt32LE(0, 4);
	compressed[9] = 3;
	return compressed;
}

function buildIpk(bundlePath, version, epoch) {
	const files = contents(bundlePath);
	const installedSize = [...files.values()].reduce((sum, data) => sum + data.length, 0);
	const text = (name, mode, content) => ({ name: `./${name}`, mode, data: Buffer.from(content) });
	const controlEntries = [
		{ name: "./", mode: 0o755 },
		text("conffiles", 0o644, CONFFILES.map((path) => `${path}\n`).join("")),
		text("control", 0o644, control(version, installedSize)),
		text("postinst", 0o755, POSTINST),
		text("prerm", 0o755, PRERM),
	];
	const outer = [
		text("debian-binary", 0o644, "2.0\n"),
		{ name: "./control.tar.gz", mode: 0o644, data: gzip(ustar(controlEntries, epoch)) },
		{ name: "./data.tar.gz", mode: 0o644, data: gzip(ustar(dataEntries(files), epoch)) },
	];
	return gzip(ustar(outer, epoch));
}

function main() {
	const { values } = parseArgs({
		options: {
			bundle: { type: "string", default: join(ROOT, "dist/bgpwarden.js") },
			out: { type: "string", default: join(ROOT, "dist") },
		},
	});
	const epochText = process.env.SOURCE_DATE_EPOCH ?? String(DEFAULT_EPOCH);
	if (!/^[0-9]{1,10}$/.test(epochText))
		throw new Error(`SOURCE_DATE_EPOCH: '${epochText}' is not a number of seconds`);
	const version = `${JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")).version}-r${RELEASE}`;
	const ipk = buildIpk(values.bundle, version, Number(epochText));
	mkdirSync(values.out, { recursive: true });
	const path = join(values.out, `bgpwarden_${version}_all.ipk`);
	writeFileSync(path, ipk);
	process.stdout.write(`${relative(process.cwd(), path)}: ${ipk.length} bytes\n`);
}

try {
	main();
} catch (error) {
	process.stderr.write(`package: ${error instanceof Error ? error.message : error}\n`);
	process.exitCode = 1;
}
