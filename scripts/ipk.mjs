/** Packages for opkg: gzip(tar(debian-binary, control.tar.gz, data.tar.gz)), as OpenWrt's scripts/ipkg-build makes them. */

import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { ustar } from "./ustar.mjs";

/** 2026-01-01: the files' time when SOURCE_DATE_EPOCH is not set. */
const DEFAULT_EPOCH = 1_767_225_600;

/** @returns {number} seconds since 1970 @throws {Error} when SOURCE_DATE_EPOCH is not a number */
export function sourceDateEpoch() {
	const text = process.env.SOURCE_DATE_EPOCH ?? String(DEFAULT_EPOCH);
	if (!/^[0-9]{1,10}$/.test(text)) throw new Error(`SOURCE_DATE_EPOCH: '${text}' is not a number of seconds`);
	return Number(text);
}

/** gzip without a time and with a fixed system byte (RFC 1952 section 2.3.1), whatever zlib was built for. */
export function gzip(data) {
	const compressed = gzipSync(data, { level: 9 });
	compressed.writeUInt32LE(0, 4);
	compressed[9] = 3;
	return compressed;
}

/** The same, packed by zopfli where it is installed: takes seconds, and saves a few percent on every router's flash. */
export function gzipTightly(data) {
	const directory = mkdtempSync(join(tmpdir(), "bgpwarden-"));
	try {
		const file = join(directory, "data");
		writeFileSync(file, data);
		const { status, stdout } = spawnSync("zopfli", ["-c", "--i30", file], { maxBuffer: 1 << 28 });
		return status === 0 ? stdout : gzip(data);
	} finally {
		rmSync(directory, { recursive: true });
	}
}

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

/**
 * @typedef {object} Package
 * @property {string} name
 * @property {string} version with the release, `1.0.0-r1`
 * @property {string} architecture OpenWrt's; `all` for any
 * @property {readonly string[]} depends
 * @property {readonly string[]} suggests what opkg mentions; it knows no alternatives
 * @property {string} license
 * @property {string} section
 * @property {string} title one line
 * @property {readonly string[]} description lines
 * @property {readonly string[]} conffiles absolute paths
 * @property {{ postinst?: string, prerm?: string, postrm?: string }} scripts the package's own, as OpenWrt's Makefiles
 *   have them
 * @property {ReadonlyMap<string, { data: Buffer, mode: number }>} files by path on the router without the leading slash
 */

/** @param {Package} contents @param {number} epoch @param {(data: Buffer) => Buffer} pack @returns {Buffer} */
export function ipk(contents, epoch, pack = gzip) {
	const { scripts } = contents;
	const text = (name, mode, content) => ({ name: `./${name}`, mode, data: Buffer.from(content) });
	const controlEntries = [
		{ name: "./", mode: 0o755 },
		...(contents.conffiles.length > 0
			? [text("conffiles", 0o644, contents.conffiles.map((path) => `${path}\n`).join(""))]
			: []),
		text("control", 0o644, control(contents)),
		text("postinst", 0o755, POSTINST),
		text("prerm", 0o755, PRERM),
		// The package's own, sourced by default_postinst and default_prerm; there is no default for postrm.
		...[
			["postinst-pkg", scripts.postinst],
			["prerm-pkg", scripts.prerm],
			["postrm", scripts.postrm],
		].flatMap(([name, content]) => (content === undefined ? [] : [text(name, 0o755, content)])),
	];
	const outer = [
		text("debian-binary", 0o644, "2.0\n"),
		{ name: "./control.tar.gz", mode: 0o644, data: gzip(ustar(controlEntries, epoch)) },
		{ name: "./data.tar.gz", mode: 0o644, data: pack(ustar(dataEntries(contents.files), epoch)) },
	];
	return gzip(ustar(outer, epoch));
}

function control({
	name,
	version,
	architecture,
	depends,
	suggests,
	license,
	section,
	title,
	description,
	files,
}) {
	const installedSize = [...files.values()].reduce((sum, { data }) => sum + data.length, 0);
	return [
		`Package: ${name}`,
		`Version: ${version}`,
		...(depends.length > 0 ? [`Depends: ${depends.join(", ")}`] : []),
		...(suggests.length > 0 ? [`Suggests: ${suggests.join(", ")}`] : []),
		`License: ${license}`,
		`Section: ${section}`,
		`Architecture: ${architecture}`,
		`Installed-Size: ${installedSize}`,
		`Description: ${title}`,
		...description.map((line) => ` ${line}`),
		"",
	].join("\n");
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
		...[...files].map(([path, { data, mode }]) => ({ name: `./${path}`, mode, data })),
	];
	return entries.sort((left, right) => (left.name < right.name ? -1 : 1));
}
