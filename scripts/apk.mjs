/** Packages for apk 3 (OpenWrt 25.12 and later), laid out as OpenWrt's include/package-pack.mk does. */

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Why no .apk can be made here; undefined when one can. */
export function whyNoApk() {
	const { status, stdout } = spawnSync("apk", ["--version"], { encoding: "utf8" });
	if (status !== 0 || !/^apk-tools 3\./.test(stdout)) return "apk 3 is not on PATH";
	// It takes the files' owners from the file system.
	if (process.getuid?.() !== 0) return "root is needed to make files of root's";
	return undefined;
}

/** apk gives these modes to the router's own directories, whatever the umask is here. */
function makeDirectory(path) {
	mkdirSync(path, { recursive: true });
	chmodSync(path, 0o755);
}

const script = (name, handler, extra = "") => `#!/bin/sh
[ "\${IPKG_NO_SCRIPT}" = "1" ] && exit 0
[ -s "\${IPKG_INSTROOT}/lib/functions.sh" ] || exit 0
. "\${IPKG_INSTROOT}/lib/functions.sh"
export root="\${IPKG_INSTROOT}"
export pkgname="${name}"
${handler}
${extra.replace(/^#!.*\n/, "")}`;

/**
 * @param {import("./ipk.mjs").Package} contents
 * @param {number} epoch seconds since 1970
 * @param {string} output path of the file to write
 * @throws {Error} with what apk says
 */
export function writeApk(contents, epoch, output) {
	const { name, version, architecture, depends, license, title, description, conffiles } = contents;
	const scratch = mkdtempSync(join(tmpdir(), "bgpwarden-apk-"));
	try {
		const files = new Map(contents.files);
		const note = (suffix, lines) =>
			files.set(`lib/apk/packages/${name}.${suffix}`, { data: Buffer.from(lines.join("")), mode: 0o644 });
		note(
			"list",
			[...contents.files.keys()].sort().map((path) => `/${path}\n`),
		);
		if (conffiles.length > 0) {
			const sum = (path) =>
				createHash("sha256")
					.update(contents.files.get(path.slice(1)).data)
					.digest("hex");
			note(
				"conffiles",
				conffiles.map((path) => `${path}\n`),
			);
			note(
				"conffiles_static",
				conffiles.map((path) => `${path} ${sum(path)}\n`),
			);
		}
		const root = join(scratch, "root");
		makeDirectory(root);
		for (const [path, { data, mode }] of files) {
			const target = join(root, path);
			for (let end = path.indexOf("/"); end >= 0; end = path.indexOf("/", end + 1))
				makeDirectory(join(root, path.slice(0, end)));
			writeFileSync(target, data);
			chmodSync(target, mode);
			utimesSync(target, epoch, epoch);
		}
		const postinst = script(name, "add_group_and_user\ndefault_postinst", contents.scripts.postinst);
		const scripts = {
			"post-install": postinst,
			"post-upgrade": postinst.replace("\n", "\nexport PKG_UPGRADE=1\n"),
			"pre-deinstall": script(name, "default_prerm", contents.scripts.prerm),
			...(contents.scripts.postrm ? { "post-deinstall": contents.scripts.postrm } : {}),
		};
		for (const [type, text] of Object.entries(scripts))
			writeFileSync(join(scratch, type), text, { mode: 0o755 });
		const info = {
			name,
			version,
			description: (description.length > 0 ? description : [title]).join(" "),
			arch: architecture === "all" ? "noarch" : architecture,
			license,
			origin: name,
			depends: depends.join(" "),
		};
		const args = [
			...Object.entries(info).flatMap(([key, value]) => (value === "" ? [] : ["--info", `${key}:${value}`])),
			...Object.keys(scripts).flatMap((type) => ["--script", `${type}:${join(scratch, type)}`]),
			...["--files", root, "--output", output],
		];
		const { status, stderr } = spawnSync("apk", ["mkpkg", ...args], {
			env: { ...process.env, SOURCE_DATE_EPOCH: String(epoch) },
			encoding: "utf8",
		});
		if (status !== 0) throw new Error(`apk mkpkg: ${output}: ${stderr.trim()}`);
	} finally {
		rmSync(scratch, { recursive: true, force: true });
	}
}
