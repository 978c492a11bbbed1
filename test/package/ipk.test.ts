import { execFileSync, spawnSync } from "node:child_process";
import {
	existsSync,
	mkdirSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	rmSync,
	statSync,
	writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const BUNDLE = "export const fake = 'ü';\n";
const NAME = `bgpwarden_${JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")).version}-r1_all.ipk`;

let scratch = "";

beforeAll(() => {
	scratch = mkdtempSync(join(tmpdir(), "bgpwarden-ipk-"));
	writeFileSync(join(scratch, "fake.js"), BUNDLE);
	writeFileSync(join(scratch, "fake.licenses.txt"), "somebody 1.0\n");
});

afterAll(() => rmSync(scratch, { recursive: true, force: true }));

function build(out: string, environment: Record<string, string> = {}, bundle = "fake.js"): Buffer {
	const args = [
		join(ROOT, "scripts/package.mjs"),
		"--bundle",
		join(scratch, bundle),
		"--out",
		join(scratch, out),
	];
	const env: Record<string, string | undefined> = { ...process.env, ...environment };
	if (!("SOURCE_DATE_EPOCH" in environment)) delete env.SOURCE_DATE_EPOCH;
	execFileSync(process.execPath, args, { env, stdio: "pipe" });
	// An .apk as well where there is apk 3.
	expect(readdirSync(join(scratch, out)).filter((name) => name.endsWith(".ipk"))).toEqual([NAME]);
	return readFileSync(join(scratch, out, NAME));
}

interface Entry {
	readonly name: string;
	readonly mode: string;
	readonly owner: string;
	readonly mtime: number;
	readonly type: string;
	readonly magic: string;
	readonly data: Buffer;
}

/** Reads a ustar archive, checksums included. */
function untar(archive: Buffer): Entry[] {
	const entries: Entry[] = [];
	let offset = 0;
	for (; archive[offset]; ) {
		const header = Buffer.from(archive.subarray(offset, offset + 512));
		const text = (start: number, length: number) =>
			header.toString("latin1", start, start + length).replace(/\0.*$/s, "");
		const number = (start: number, length: number) => Number.parseInt(text(start, length), 8);
		const checksum = number(148, 8);
		const size = number(124, 12);
		const entry = {
			name: text(0, 100),
			mode: number(100, 8).toString(8),
			owner: `${number(108, 8)}:${number(116, 8)}`,
			mtime: number(136, 12),
			type: text(156, 1),
			magic: header.toString("latin1", 257, 265),
			data: archive.subarray(offset + 512, offset + 512 + size),
		};
		header.fill(" ", 148, 156);
		expect(header.reduce((sum, byte) => sum + byte, 0)).toBe(checksum);
		entries.push(entry);
		offset += 512 + Math.ceil(size / 512) * 512;
	}
	expect(archive.length - offset).toBe(1024);
	return entries;
}

const untargz = (data: Buffer | undefined) => untar(gunzipSync(data ?? Buffer.alloc(0)));
const find = (entries: readonly Entry[], name: string) => entries.find((entry) => entry.name === name);
const textOf = (entries: readonly Entry[], name: string) => find(entries, name)?.data.toString("utf8") ?? "";

describe("the .ipk", () => {
	let outer: Entry[] = [];
	let control: Entry[] = [];
	let data: Entry[] = [];

	beforeAll(() => {
		outer = untargz(build("plain"));
		control = untargz(find(outer, "./control.tar.gz")?.data);
		data = untargz(find(outer, "./data.tar.gz")?.data);
	});

	it("is a gzipped tar of three files", () => {
		expect(outer.map((entry) => entry.name)).toEqual([
			"./debian-binary",
			"./control.tar.gz",
			"./data.tar.gz",
		]);
		expect(textOf(outer, "./debian-binary")).toBe("2.0\n");
	});

	it("is plain ustar, everything owned by root", () => {
		for (const entry of [...outer, ...control, ...data]) {
			expect(entry).toMatchObject({ owner: "0:0", magic: "ustar\x0000" });
			expect(entry.type).toBe(entry.name.endsWith("/") ? "5" : "0");
		}
	});

	it("installs these files with these modes, each directory before what is in it", () => {
		expect(data.map((entry) => `${entry.mode} ${entry.name}`)).toEqual([
			"755 ./",
			"755 ./etc/",
			"755 ./etc/config/",
			"600 ./etc/config/bgpwarden",
			"755 ./etc/hotplug.d/",
			"755 ./etc/hotplug.d/iface/",
			"644 ./etc/hotplug.d/iface/90-bgpwarden",
			"755 ./etc/init.d/",
			"755 ./etc/init.d/bgpwarden",
			"755 ./lib/",
			"755 ./lib/upgrade/",
			"755 ./lib/upgrade/keep.d/",
			"644 ./lib/upgrade/keep.d/bgpwarden",
			"755 ./usr/",
			"755 ./usr/lib/",
			"755 ./usr/lib/bgpwarden/",
			"644 ./usr/lib/bgpwarden/LICENSES",
			"644 ./usr/lib/bgpwarden/bgpwarden.js",
			"644 ./usr/lib/bgpwarden/check.sh",
			"644 ./usr/lib/bgpwarden/firewall.include",
			"644 ./usr/lib/bgpwarden/include.sh",
			"755 ./usr/lib/bgpwarden/setup",
			"755 ./usr/lib/bgpwarden/uninstall",
			"755 ./usr/libexec/",
			"755 ./usr/libexec/rpcd/",
			"755 ./usr/libexec/rpcd/bgpwarden",
			"755 ./usr/sbin/",
			"755 ./usr/sbin/bgpwarden",
			"755 ./usr/share/",
			"755 ./usr/share/rpcd/",
			"755 ./usr/share/rpcd/acl.d/",
			"644 ./usr/share/rpcd/acl.d/bgpwarden.json",
		]);
		expect(textOf(data, "./usr/lib/bgpwarden/bgpwarden.js")).toBe(BUNDLE);
		expect(textOf(data, "./etc/init.d/bgpwarden")).toBe(readFileSync(join(ROOT, "init.d/bgpwarden"), "utf8"));
	});

	it("describes itself", () => {
		const fields = textOf(control, "./control");
		expect(fields).toMatch(
			/^Package: bgpwarden\nVersion: \d+\.\d+\.\d+-r1\nDepends: quickjs, nftables-json, conntrack\nSuggests: bird3cl, bird2cl, openssl-util\n/,
		);
		expect(fields).toMatch(/^Architecture: all$/m);
		const installed = data.reduce((sum, entry) => sum + entry.data.length, 0);
		expect(fields).toContain(`Installed-Size: ${installed}\n`);
		expect(fields.endsWith(".\n")).toBe(true);
		expect(textOf(control, "./conffiles")).toBe("/etc/config/bgpwarden\n");
		expect(control.map((entry) => `${entry.mode} ${entry.name}`)).toEqual([
			"755 ./",
			"644 ./conffiles",
			"644 ./control",
			"755 ./postinst",
			"755 ./prerm",
			"755 ./postinst-pkg",
			"755 ./prerm-pkg",
			"755 ./postrm",
		]);
	});

	it.each([
		["postinst", "default_postinst"],
		["prerm", "default_prerm"],
	])("%s hands over to OpenWrt's %s with its own name and arguments", (script, handler) => {
		const root = join(scratch, `root-${script}`);
		mkdirSync(join(root, "lib"), { recursive: true });
		const path = join(root, `bgpwarden.${script}`);
		writeFileSync(path, find(control, `./${script}`)?.data ?? "");
		const run = () =>
			spawnSync("sh", [path, "configure"], { env: { IPKG_INSTROOT: root }, encoding: "utf8" });
		expect(run()).toMatchObject({ status: 0, stdout: "", stderr: "" });
		writeFileSync(join(root, "lib/functions.sh"), `${handler}() { echo "$@"; }\n`);
		expect(run()).toMatchObject({ status: 0, stdout: `${path} configure\n`, stderr: "" });
	});

	it.each([
		["a removal", {}, "taken back\n"],
		["a removal with opkg", { PKG_UPGRADE: "0" }, "taken back\n"],
		["an upgrade", { PKG_UPGRADE: "1" }, ""],
		["an image build", { IPKG_INSTROOT: "/image" }, ""],
	])("prerm-pkg in %s takes back what it should", (_, env, expected) => {
		const uninstall = join(scratch, "uninstall");
		writeFileSync(uninstall, "#!/bin/sh\necho taken back\n", { mode: 0o755 });
		const script = join(scratch, "prerm-pkg");
		writeFileSync(script, textOf(control, "./prerm-pkg").replace("/usr/lib/bgpwarden/uninstall", uninstall));
		const run = spawnSync("sh", [script, "remove"], { env, encoding: "utf8" });
		expect(run).toMatchObject({ status: 0, stdout: expected, stderr: "" });
	});

	it.each([
		["a removal", { PKG_UPGRADE: "0" }, "reload\n", false],
		["a removal with apk", {}, "reload\n", false],
		["an upgrade", { PKG_UPGRADE: "1" }, "", true],
		["an image build", { IPKG_INSTROOT: "/image" }, "", true],
	])(
		"postrm in %s has rpcd forget the plugin and takes the directory where it should",
		(_, env, expected, left) => {
			const rpcd = join(scratch, "rpcd");
			writeFileSync(rpcd, '#!/bin/sh\necho "$@"\n', { mode: 0o755 });
			const directory = join(scratch, "usr-lib-bgpwarden");
			mkdirSync(directory, { recursive: true });
			const script = textOf(control, "./postrm")
				.replace("/etc/init.d/rpcd", rpcd)
				.replace("/usr/lib/bgpwarden", directory);
			const run = spawnSync("sh", ["-c", script], { env, encoding: "utf8" });
			expect(run).toMatchObject({ status: 0, stdout: expected, stderr: "" });
			expect(existsSync(directory)).toBe(left);
		},
	);
});

it("is the same for the same input, and takes its time from SOURCE_DATE_EPOCH", () => {
	const first = build("one");
	expect(build("two").equals(first)).toBe(true);
	const dated = untargz(build("dated", { SOURCE_DATE_EPOCH: "1000000000" }));
	expect(dated.every((entry) => entry.mtime === 1_000_000_000)).toBe(true);
	expect(untargz(first).every((entry) => entry.mtime === 1_767_225_600)).toBe(true);
});

it("fails with one line when the bundle is missing or the date is none", () => {
	expect(() => build("none", {}, "missing.js")).toThrow(/package: ENOENT.*missing\.js/);
	expect(() => build("none", { SOURCE_DATE_EPOCH: "today" })).toThrow(
		/package: SOURCE_DATE_EPOCH: 'today' is not a number of seconds/,
	);
});

it("keeps launcher and init script executable", () => {
	for (const path of ["openwrt-package/bgpwarden/files/usr/sbin/bgpwarden", "init.d/bgpwarden"])
		expect(statSync(join(ROOT, path)).mode & 0o100).toBe(0o100);
});
