/**
 * Cross-builds a static qjs for each architecture and writes dist/quickjs_<version>_<architecture>.ipk: OpenWrt releases
 * with opkg have no quickjs in their feed. The same sources give the same bytes. Programs that are built are kept in
 * .tools/qjs until something they are made of changes.
 *
 *     node scripts/package-quickjs.mjs [--out DIRECTORY] [--build-only] [ARCHITECTURE …]
 */

import { execFile, execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs, promisify } from "node:util";
import { whyNoApk, writeApk } from "./apk.mjs";
import { ARCHES } from "./arches.mjs";
import { ipk, sourceDateEpoch } from "./ipk.mjs";
import { readMakefile } from "./openwrt-makefile.mjs";

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const TOOLS = join(ROOT, ".tools");
const run = promisify(execFile);

const SOURCES = ["cutils", "dtoa", "libregexp", "libunicode", "quickjs", "quickjs-libc"].map(
	(name) => `${name}.c`,
);
/**
 * Beyond QuickJS's own flags: -Os as OpenWrt compiles (-O2 is 28 % larger and no faster at starting the daemon), and no
 * fused multiply-add, so that numbers are the same on every architecture.
 */
const FLAGS = [
	"-static -s -Os -D_GNU_SOURCE -fwrapv -funsigned-char -ffp-contract=off -fno-sanitize=undefined -w",
	"-ffunction-sections -fdata-sections -Wl,--gc-sections",
].flatMap((line) => line.split(" "));

/** @returns {Promise<void>} @throws {Error} with the compiler's first lines */
async function compile({ zig, source, version }, target, cpu, files, output) {
	const release = version.replaceAll(".", "-");
	const args = ["cc", "-target", target, ...(cpu ? [`-mcpu=${cpu}`] : []), ...FLAGS];
	const cache = process.env.ZIG_GLOBAL_CACHE_DIR ?? join(TOOLS, "zig-cache");
	// In the source folder with relative names, so that no path of this machine gets into the program.
	await run(zig, [...args, `-DCONFIG_VERSION="${release}"`, ...files, "-lm", "-lpthread", "-o", output], {
		cwd: source,
		env: { ...process.env, ZIG_GLOBAL_CACHE_DIR: cache, ZIG_LOCAL_CACHE_DIR: cache },
		maxBuffer: 16_000_000,
	}).catch((error) => {
		throw new Error(`zig cc for ${target}: ${String(error.stderr).split("\n").slice(0, 3).join(" ")}`);
	});
}

/** The interactive prompt, which qjs has inside as bytecode (always little-endian): made by qjsc on this machine. */
async function prepareRepl(cross) {
	const repl = join(cross.source, "repl.c");
	if (existsSync(repl)) return;
	const host = { x64: "x86_64", arm64: "aarch64" }[process.arch];
	if (!host) throw new Error(`no cross-building on ${process.arch}`);
	const qjsc = join(cross.source, "host-qjsc");
	const defines = ['-DCONFIG_CC="cc"', '-DCONFIG_PREFIX="/usr"'];
	await compile(cross, `${host}-linux-musl`, undefined, [...defines, "qjsc.c", ...SOURCES], qjsc);
	await run(qjsc, ["-s", "-c", "-o", "repl.c.new", "-m", "repl.js"], { cwd: cross.source });
	renameSync(`${repl}.new`, repl);
}

/** @returns {Promise<string>} the program's path */
async function build(cross, arch) {
	const { target, cpu } = ARCHES[arch];
	const output = join(TOOLS, "qjs", arch, "qjs");
	const madeOf = [cross.zig.replace(TOOLS, ""), cross.sha256, target, cpu, ...FLAGS].join(" ");
	const stamp = createHash("sha256").update(madeOf).digest("hex");
	const stampPath = `${output}.stamp`;
	if (existsSync(stampPath) && readFileSync(stampPath, "utf8") === stamp) return output;
	rmSync(stampPath, { force: true });
	mkdirSync(dirname(output), { recursive: true });
	const start = Date.now();
	await compile(cross, target, cpu, ["qjs.c", "repl.c", ...SOURCES], output);
	writeFileSync(stampPath, stamp);
	process.stdout.write(`built qjs for ${arch} in ${((Date.now() - start) / 1000).toFixed(1)} s\n`);
	return output;
}

function writePackages(cross, arch, program, out) {
	const makefile = readMakefile(join(ROOT, "openwrt-package/quickjs/Makefile"));
	if (makefile.version.replace(/-r\d+$/, "") !== cross.version)
		throw new Error(`the Makefile of quickjs says ${makefile.version}, scripts/cross.sh ${cross.version}`);
	const contents = {
		...makefile,
		architecture: arch,
		// Static: it brings its libc and libatomic.
		depends: [],
		files: new Map([
			["usr/bin/qjs", { data: readFileSync(program), mode: 0o755 }],
			[
				"usr/share/licenses/quickjs/LICENSE",
				{ data: readFileSync(join(cross.source, "LICENSE")), mode: 0o644 },
			],
		]),
	};
	const epoch = sourceDateEpoch();
	mkdirSync(out, { recursive: true });
	const path = join(out, `quickjs_${makefile.version}_${arch}.ipk`);
	writeFileSync(path, ipk(contents, epoch));
	process.stdout.write(`${relative(process.cwd(), path)}: ${statSync(path).size} bytes\n`);
	if (whyNoApk()) return;
	const apkPath = join(out, `quickjs-${makefile.version}_${arch}.apk`);
	writeApk(contents, epoch, apkPath);
	process.stdout.write(`${relative(process.cwd(), apkPath)}: ${statSync(apkPath).size} bytes\n`);
}

async function main() {
	const { values, positionals } = parseArgs({
		allowPositionals: true,
		options: {
			out: { type: "string", default: join(ROOT, "dist") },
			"build-only": { type: "boolean", default: false },
		},
	});
	const unknown = positionals.find((arch) => !(arch in ARCHES));
	if (unknown) throw new Error(`${unknown}: not one of ${Object.keys(ARCHES).join(", ")}`);
	const arches = positionals.length > 0 ? positionals : Object.keys(ARCHES);
	const cross = JSON.parse(execFileSync(join(ROOT, "scripts/cross.sh"), { encoding: "utf8" }));
	await prepareRepl(cross);
	const waiting = [...arches];
	const worker = async () => {
		for (let arch = waiting.shift(); arch; arch = waiting.shift()) await build(cross, arch);
	};
	await Promise.all(Array.from({ length: availableParallelism() }, worker));
	if (values["build-only"]) return;
	for (const arch of arches) writePackages(cross, arch, join(TOOLS, "qjs", arch, "qjs"), resolve(values.out));
	const reason = whyNoApk();
	if (reason) process.stdout.write(`no .apk: ${reason}\n`);
}

try {
	await main();
} catch (error) {
	process.stderr.write(`package-quickjs: ${error instanceof Error ? error.message : error}\n`);
	process.exitCode = 1;
}
