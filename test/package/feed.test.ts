import { execFileSync, spawnSync } from "node:child_process";
import { createHash, createPublicKey, verify } from "node:crypto";
import {
	cpSync,
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
const PACKAGE = join(ROOT, "openwrt-package/bgpwarden");

let scratch = "";
let ipk = "";

beforeAll(() => {
	scratch = mkdtempSync(join(tmpdir(), "bgpwarden-feed-"));
	writeFileSync(join(scratch, "fake.js"), "export {};\n");
	writeFileSync(join(scratch, "fake.licenses.txt"), "somebody 1.0\n");
	script("package.mjs", "--bundle", join(scratch, "fake.js"), "--out", join(scratch, "packages"));
	ipk = readdirSync(join(scratch, "packages")).find((name) => name.endsWith(".ipk")) ?? "";
});

afterAll(() => rmSync(scratch, { recursive: true, force: true }));

function script(name: string, ...args: string[]): string {
	return execFileSync(process.execPath, [join(ROOT, "scripts", name), ...args], {
		encoding: "utf8",
		stdio: "pipe",
	});
}

describe("the index for opkg", () => {
	const key = () => ["--key", join(scratch, "key.pem")];

	it("is one for each architecture, of its own packages and those for all", () => {
		const out = join(scratch, "feed");
		const packages = join(scratch, "three");
		cpSync(join(scratch, "packages"), packages, { recursive: true });
		for (const arch of ["mips_24kc", "x86_64"])
			cpSync(join(packages, ipk), join(packages, `other_1_${arch}.ipk`));
		script("feed.mjs", "--from", packages, "--out", out, ...key());
		expect(readdirSync(out).sort()).toEqual(["bgpwarden.pub", "mips_24kc", "x86_64"]);
		const folder = join(out, "mips_24kc");
		expect(readdirSync(folder).sort()).toEqual(
			["Packages", "Packages.gz", "Packages.sig", ipk, "other_1_mips_24kc.ipk"].sort(),
		);
	});

	it("names each package with its size and hash, before the description, a blank line after", () => {
		const out = join(scratch, "feed-all");
		script("feed.mjs", "--from", join(scratch, "packages"), "--out", out, ...key());
		const folder = join(out, "all");
		const index = readFileSync(join(folder, "Packages"), "utf8");
		expect(gunzipSync(readFileSync(join(folder, "Packages.gz"))).toString("utf8")).toBe(index);
		const data = readFileSync(join(folder, ipk));
		const sum = createHash("sha256").update(data).digest("hex");
		const entries = index.split("\n\n");
		expect(entries).toHaveLength(2);
		expect(entries[0]).toMatch(/^Package: bgpwarden\nVersion: /);
		expect(entries[0]).toContain(
			`\nFilename: ${ipk}\nSize: ${data.length}\nSHA256sum: ${sum}\nDescription: `,
		);
		expect(entries[1]).toBe("");
	});

	it("is signed by the key beside it, as usign does", () => {
		const out = join(scratch, "feed-signed");
		const made = () => script("feed.mjs", "--from", join(scratch, "packages"), "--out", out, ...key());
		made();
		const lines = (name: string) => readFileSync(join(out, name), "utf8").split("\n");
		const [keyComment, keyText = "", ...keyRest] = lines("bgpwarden.pub");
		const [comment, text = "", ...rest] = lines("all/Packages.sig");
		expect([keyRest, rest]).toEqual([[""], [""]]);
		expect(keyComment).toMatch(/^untrusted comment: /);
		const publicKey = Buffer.from(keyText, "base64");
		const signature = Buffer.from(text, "base64");
		expect([publicKey.length, signature.length]).toEqual([2 + 8 + 32, 2 + 8 + 64]);
		expect(signature.subarray(0, 10)).toEqual(publicKey.subarray(0, 10));
		expect(comment).toBe(`untrusted comment: signed by key ${publicKey.toString("hex", 2, 10)}`);
		const x = publicKey.subarray(10).toString("base64url");
		const verifier = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
		const index = readFileSync(join(out, "all/Packages"));
		expect(verify(null, index, verifier, signature.subarray(10))).toBe(true);
		expect(statSync(join(scratch, "key.pem")).mode & 0o777).toBe(0o600);
		made();
		expect(lines("bgpwarden.pub")[1]).toBe(keyText);
	});

	it("is refused for a folder without packages", () => {
		mkdirSync(join(scratch, "empty"));
		expect(() => script("feed.mjs", "--from", join(scratch, "empty"))).toThrow(/feed: .*: no \.ipk in it/);
	});
});

/** The install section as make runs it, with stand-ins for what OpenWrt's SDK defines. */
describe("the Makefile for OpenWrt's SDK", () => {
	let version = "";
	const root = () => join(scratch, "sdk-root");

	beforeAll(() => {
		version = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")).version;
		const source = join(scratch, `build/bgpwarden-${version}`);
		for (const name of ["openwrt-package", "init.d"])
			cpSync(join(ROOT, name), join(source, name), { recursive: true });
		mkdirSync(join(source, "dist"));
		cpSync(join(scratch, "fake.js"), join(source, "dist/bgpwarden.js"));
		cpSync(join(scratch, "fake.licenses.txt"), join(source, "dist/bgpwarden.licenses.txt"));
		const sdk = join(scratch, "sdk");
		mkdirSync(sdk);
		writeFileSync(
			join(sdk, "rules.mk"),
			[
				"INSTALL_DIR=install -d -m0755",
				"INSTALL_BIN=install -m0755",
				"INSTALL_DATA=install -m0644",
				"INSTALL_CONF=install -m0600",
				"CP=cp -fpR",
				"",
			].join("\n"),
		);
		writeFileSync(
			join(sdk, "package.mk"),
			`PKG_BUILD_DIR=${join(scratch, "build")}/$(PKG_NAME)-$(PKG_VERSION)\n` +
				"define BuildPackage\ninstall:\n\t$$(call Package/$(1)/install,$(ROOTDIR))\n\n" +
				"facts:\n\t@echo '$(PKG_SOURCE) $(PKG_SOURCE_URL)'\nendef\n",
		);
	});

	function make(target: string): string {
		const run = spawnSync(
			"make",
			[
				"-s",
				"-C",
				PACKAGE,
				target,
				`TOPDIR=${scratch}/sdk`,
				`INCLUDE_DIR=${scratch}/sdk`,
				`ROOTDIR=${root()}`,
			],
			// Without the variables of a make around the tests.
			{ encoding: "utf8", env: { PATH: process.env.PATH } },
		);
		expect({ status: run.status, stderr: run.stderr }).toEqual({ status: 0, stderr: "" });
		return run.stdout;
	}

	function filesBelow(directory: string, prefix = ""): string[] {
		return readdirSync(join(directory, prefix), { withFileTypes: true }).flatMap((entry) =>
			entry.isDirectory() ? filesBelow(directory, `${prefix}${entry.name}/`) : [`${prefix}${entry.name}`],
		);
	}

	it("installs what the .ipk without an SDK holds, with the same modes and contents", () => {
		make("install");
		const unpacked = join(scratch, "unpacked");
		mkdirSync(unpacked);
		const tar = (archive: string, ...args: string[]) =>
			execFileSync("tar", ["-xzpf", archive, "-C", ...args]);
		tar(join(scratch, "packages", ipk), scratch);
		tar(join(scratch, "data.tar.gz"), unpacked);
		// A checkout has the modes that its owner's umask leaves; the tarball of `make release` has the package's.
		const shared = (statSync(join(PACKAGE, "Makefile")).mode & 0o044) === 0o044;
		const listing = (directory: string) =>
			filesBelow(directory).map((path) => {
				const mode = (statSync(join(directory, path)).mode & (shared ? 0o755 : 0o700)).toString(8);
				return `${mode} ${path} ${readFileSync(join(directory, path), "utf8")}`;
			});
		expect(listing(root())).toEqual(listing(unpacked));
		expect(listing(root()).length).toBeGreaterThan(10);
	});

	it("takes the tarball that `make release` writes", () => {
		expect(make("facts")).toBe(`bgpwarden-${version}.tar.gz file://${PACKAGE}/../../dist\n`);
		const out = join(scratch, "release");
		const said = script("release.mjs", "--out", out, "--bundle", join(scratch, "fake.js"));
		const name = `bgpwarden-${version}.tar.gz`;
		const data = readFileSync(join(out, name));
		expect(said).toContain(createHash("sha256").update(data).digest("hex"));
		const names = execFileSync("tar", ["-tzf", join(out, name)], { encoding: "utf8" }).split("\n");
		for (const path of ["LICENSE", "dist/bgpwarden.js", "dist/bgpwarden.licenses.txt", "init.d/bgpwarden"])
			expect(names).toContain(`bgpwarden-${version}/${path}`);
		expect(names.filter((path) => /node_modules|\/\.lab\/|\/\.tools\//.test(path))).toEqual([]);
		script("release.mjs", "--out", join(scratch, "again"), "--bundle", join(scratch, "fake.js"));
		expect(readFileSync(join(scratch, "again", name)).equals(data)).toBe(true);
	});
});
