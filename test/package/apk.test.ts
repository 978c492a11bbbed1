import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const VERSION = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")).version;
const NAME = `bgpwarden-${VERSION}-r1.apk`;
/** apk takes the files' owners from the file system, so that only root makes packages. */
const ROOT_USER = process.getuid?.() === 0;

/** Keeps what `apk mkpkg` (apk-tools 3, src/app_mkpkg.c) is given: arguments, files, scripts. */
const APK = `#!/bin/sh
[ "$1" = mkpkg ] || { echo "apk-tools $APK_VERSION, compiled for x86_64."; exit; }
[ -z "$BROKEN" ] || { echo "ERROR: no" >&2; exit 1; }
echo "$SOURCE_DATE_EPOCH" >"$KEPT/epoch"
while [ $# -gt 0 ]; do
	case $1 in
	--info) echo "$2" >>"$KEPT/info" ;;
	--files) cp -a "$2" "$KEPT/root" ;;
	--script) cp -a "\${2#*:}" "$KEPT/\${2%%:*}" ;;
	--output) echo package >"$2" ;;
	esac
	shift
done
`;

let scratch = "";
let said = "";
const kept = (name: string) => join(scratch, "kept", name);
const keptText = (name: string) => readFileSync(kept(name), "utf8");

function build(env: Record<string, string> = {}): string {
	const args = `--bundle '${join(scratch, "fake.js")}' --out '${join(scratch, "out")}'`;
	const script = `umask 077; exec '${process.execPath}' '${join(ROOT, "scripts/package.mjs")}' ${args}`;
	return execFileSync("/bin/sh", ["-c", script], {
		env: {
			...{ PATH: `${join(scratch, "bin")}:${process.env.PATH}`, KEPT: join(scratch, "kept") },
			...{ APK_VERSION: "3.0.6", SOURCE_DATE_EPOCH: "1700000000", ...env },
		},
		encoding: "utf8",
		stdio: "pipe",
	});
}

beforeAll(() => {
	scratch = mkdtempSync(join(tmpdir(), "bgpwarden-apk-test-"));
	for (const name of ["bin", "kept"]) mkdirSync(join(scratch, name));
	writeFileSync(join(scratch, "bin/apk"), APK, { mode: 0o755 });
	writeFileSync(join(scratch, "fake.js"), "export {};\n");
	writeFileSync(join(scratch, "fake.licenses.txt"), "somebody 1.0\n");
	said = build();
});

afterAll(() => rmSync(scratch, { recursive: true, force: true }));

it("is not made without apk 3, and only by root", () => {
	expect(build({ APK_VERSION: "2.14.9" })).toContain("no .apk: apk 3 is not on PATH\n");
	expect(said).toContain(ROOT_USER ? NAME : "no .apk: root is needed");
	expect(existsSync(join(scratch, "out", NAME))).toBe(ROOT_USER);
});

describe.runIf(ROOT_USER)("the .apk", () => {
	it("describes itself", () => {
		expect(keptText("info").trimEnd().split("\n")).toEqual([
			"name:bgpwarden",
			`version:${VERSION}-r1`,
			expect.stringMatching(/^description:Guards an nftables table/),
			"arch:noarch",
			"license:MIT",
			"origin:bgpwarden",
			"depends:quickjs nftables-json conntrack",
		]);
		expect(keptText("epoch")).toBe("1700000000\n");
	});

	it("has the files of the .ipk with their modes, everything owned by root, whatever the umask", () => {
		const listing = execFileSync("find", [kept("root"), "-printf", "%m %U:%G %T@ %y %P\n"], {
			encoding: "utf8",
		});
		const entries = listing.trimEnd().split("\n").sort();
		for (const entry of entries) expect(entry).toMatch(/^[0-7]+ 0:0 /);
		for (const entry of entries.filter((each) => / d /.test(each))) expect(entry).toMatch(/^755 /);
		const files = entries.filter((each) => / f /.test(each));
		for (const file of files) expect(file).toMatch(/ 1700000000\.0+ f /);
		const modes = files.map((file) => file.replace(/ .* f /, " "));
		expect(modes).toContain("600 etc/config/bgpwarden");
		expect(modes).toContain("755 etc/init.d/bgpwarden");
		expect(modes).toContain("755 usr/libexec/rpcd/bgpwarden");
		expect(modes).toContain("755 usr/lib/bgpwarden/setup");
	});

	it("lists its files and conffiles where OpenWrt's functions look for them", () => {
		const notes = "root/lib/apk/packages/bgpwarden";
		const list = keptText(`${notes}.list`).trimEnd().split("\n");
		expect(list).toContain("/etc/init.d/bgpwarden");
		expect(list).toEqual([...list].sort());
		const found = execFileSync("find", [kept("root"), "-type", "f", "-printf", "/%P\n"], {
			encoding: "utf8",
		});
		const others = found.trimEnd().split("\n");
		expect(list).toEqual(others.filter((path) => !path.startsWith("/lib/apk/")).sort());
		expect(keptText(`${notes}.conffiles`)).toBe("/etc/config/bgpwarden\n");
		const sum = createHash("sha256").update(keptText("root/etc/config/bgpwarden")).digest("hex");
		expect(keptText(`${notes}.conffiles_static`)).toBe(`/etc/config/bgpwarden ${sum}\n`);
	});

	/** Runs a script below another root, with OpenWrt's functions and the package's uninstaller doubled. */
	function run(script: string, env: Record<string, string> = {}) {
		const root = join(scratch, "router");
		mkdirSync(join(root, "lib"), { recursive: true });
		const double = (name: string) => `${name}() { echo "${name} $pkgname\${PKG_UPGRADE:+ upgrade}"; }\n`;
		const functions = ["add_group_and_user", "default_postinst", "default_prerm"].map(double).join("");
		writeFileSync(join(root, "lib/functions.sh"), functions);
		const uninstall = join(scratch, "uninstall");
		writeFileSync(uninstall, "#!/bin/sh\necho taken back\n", { mode: 0o755 });
		const text = keptText(script)
			.replaceAll(`\${IPKG_INSTROOT}/lib`, `${root}/lib`)
			.replace("/usr/lib/bgpwarden/uninstall", uninstall)
			.replace("\t/usr/lib/bgpwarden/setup", "\techo set up")
			.replace("mkdir -p", ":")
			.replace("\tcp ", "\techo copied ")
			.replace("/etc/init.d/rpcd", "echo rpcd")
			.replace("rmdir /usr/lib/bgpwarden", "rmdir /nothing");
		const { status, stdout, stderr } = spawnSync("sh", ["-c", text], { env, encoding: "utf8" });
		expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
		return stdout.trimEnd().split("\n");
	}

	it.each([
		["post-install", {}, ["add_group_and_user bgpwarden", "default_postinst bgpwarden", "set up"]],
		[
			"post-upgrade",
			{},
			["add_group_and_user bgpwarden upgrade", "default_postinst bgpwarden upgrade", "set up"],
		],
		[
			"post-install",
			{ IPKG_INSTROOT: "/image" },
			[
				"add_group_and_user bgpwarden",
				"default_postinst bgpwarden",
				"copied /image/usr/lib/bgpwarden/setup /image/etc/uci-defaults/90-bgpwarden",
			],
		],
		["pre-deinstall", {}, ["default_prerm bgpwarden", "taken back"]],
		["pre-deinstall", { IPKG_INSTROOT: "/image" }, ["default_prerm bgpwarden"]],
		["post-deinstall", {}, ["rpcd reload"]],
		["post-deinstall", { IPKG_INSTROOT: "/image" }, [""]],
	])("%s with %o calls %j", (script, env, calls) => {
		expect(run(script, env)).toEqual(calls);
	});

	it("fails with what apk says", () => {
		expect(() => build({ BROKEN: "1" })).toThrow(/package: apk mkpkg: .*: ERROR: no/);
	});
});
