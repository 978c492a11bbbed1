/**
 * Runs the bundle, the platform contract, the parsers and the MQTT connection on the cross-built qjs of every
 * architecture, or of those that are named, under qemu-user. Needs `make package-quickjs` (or its `--build-only`) and
 * `make build` before.
 * One line for each architecture; the last one counts.
 */

import { spawn, spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ARCHES } from "../../scripts/arches.mjs";
import { contract } from "../contract/suite.ts";
import { bundleForQjs } from "../qjs.ts";
import { TestBroker } from "../report/mqtt/broker.ts";

const path = (name: string) => fileURLToPath(new URL(`../../${name}`, import.meta.url));
const BUNDLE = path("dist/bgpwarden.js");
const CONFIG = path("openwrt-package/bgpwarden/files/etc/config/bgpwarden");
const FIXTURES = path("test/fixtures");
/** Seconds for one program: emulation is slow, and the machine may be busy. */
const TIMEOUT = 120;

interface Result {
	readonly status: number | null;
	readonly stdout: string;
	readonly stderr: string;
}

const scratch = mkdtempSync(join(tmpdir(), "bgpwarden-arch-"));
const broker = new TestBroker();

function environment(): NodeJS.ProcessEnv {
	return { ...process.env, PATH: `${scratch}:${process.env.PATH}`, FIXTURES, PORT: String(broker.port) };
}

/** Runs to the end without blocking the broker, which lives in this process. */
function run(command: readonly string[]): Promise<Result> {
	const [program = "", ...args] = command;
	const child = spawn(program, args, { env: environment(), stdio: ["ignore", "pipe", "pipe"] });
	const output = { stdout: "", stderr: "" };
	child.stdout.setEncoding("utf8").on("data", (text) => (output.stdout += text));
	child.stderr.setEncoding("utf8").on("data", (text) => (output.stderr += text));
	const timer = setTimeout(() => child.kill("SIGKILL"), TIMEOUT * 1000);
	return new Promise((resolve, reject) => {
		child.on("error", reject);
		child.on("close", (status) => {
			clearTimeout(timer);
			resolve({ status, ...output });
		});
	});
}

/** `nc` as the transport starts it, by Node: not every machine has busybox's. */
function provideNc(): void {
	const nc = join(scratch, "nc");
	writeFileSync(nc, `#!/bin/sh\nexec ${process.execPath} ${path("test/report/mqtt/relay.mjs")} "$@"\n`);
	chmodSync(nc, 0o755);
}

function same(actual: unknown, expected: unknown, what: string): string[] {
	if (JSON.stringify(actual) === JSON.stringify(expected)) return [];
	return [
		`${what}: got ${JSON.stringify(actual).slice(0, 400)}, expected ${JSON.stringify(expected).slice(0, 400)}`,
	];
}

/** Whole outputs, compared line by line so that a failure names one. */
function sameLines(actual: string, expected: string, what: string): string[] {
	const lines = actual.split("\n");
	const wanted = expected.split("\n");
	const differs = wanted.findIndex((line, index) => lines[index] !== line);
	if (differs < 0 && lines.length === wanted.length) return [];
	return same(lines[differs] ?? "nothing", wanted[differs] ?? "the end", `${what}, line ${differs + 1}`);
}

/** A named check: what is wrong, or nothing. */
type Check = readonly [name: string, failures: readonly string[]];

async function contractChecks(qjs: readonly string[], bundle: string): Promise<Check[]> {
	const { status, stdout, stderr } = await run([...qjs, "-m", bundle]);
	const lines = stdout.split("\n").filter((line) => line.startsWith("{"));
	const results = lines.map((line) => JSON.parse(line) as { name: string; failure?: string });
	return [
		["contract ended by itself", same([status, stderr], [0, ""], "status and stderr")],
		...contract.map(({ name }): Check => {
			const result = results.find((each) => each.name === name);
			return [`contract: ${name}`, same(result ?? "not run", { name }, "result")];
		}),
	];
}

async function checksOf(qjs: readonly string[], bundles: Bundles, node: Expected): Promise<Check[]> {
	const on = (...args: string[]) => run([...qjs, "--strip-source", "-m", ...args]);
	const version = await on(BUNDLE, "--version");
	const check = await on(BUNDLE, "--config", CONFIG, "check");
	const render = await on(BUNDLE, "--config", CONFIG, "render", "nft");
	const parsers = await on(bundles.parsers);
	const mqtt = await on(bundles.mqtt);
	return [
		["--version", same(version, node.version, "output")],
		["check", same(check, node.check, "output")],
		["render nft", same(render, node.render, "output")],
		["parsers say what they say on Node", sameLines(parsers.stdout, node.parsers.stdout, "output")],
		["parsers ended well", same([parsers.status, parsers.stderr], [0, ""], "status and stderr")],
		["MQTT", same(mqtt, { status: 0, stdout: "echoed\nclosed\n", stderr: "" }, "output")],
		...(await contractChecks(qjs, bundles.contract)),
	];
}

type Bundles = Record<"contract" | "parsers" | "mqtt", string>;
type Expected = Record<"version" | "check" | "render" | "parsers", Result>;

function makeBundles(): Bundles {
	const mqtt = join(scratch, "mqtt.js");
	const built = spawnSync(process.execPath, [path("scripts/build.mjs"), path("test/arch/mqtt.ts"), mqtt]);
	if (built.status !== 0) throw new Error(`scripts/build.mjs: ${built.stderr}`);
	return {
		mqtt,
		contract: bundleForQjs(new URL("../contract/run.ts", import.meta.url)),
		parsers: bundleForQjs(new URL("./parsers.ts", import.meta.url)),
	};
}

/** The same on Node, whose results the unit tests hold to the fixtures' expected values. */
async function expectations(bundles: Bundles): Promise<Expected> {
	const on = (...args: string[]) => run([process.execPath, ...args]);
	const expected = {
		version: await on(BUNDLE, "--version"),
		check: await on(BUNDLE, "--config", CONFIG, "check"),
		render: await on(BUNDLE, "--config", CONFIG, "render", "nft"),
		parsers: await on(bundles.parsers),
	};
	for (const [name, result] of Object.entries(expected))
		if (result.status !== 0 || result.stdout === "") throw new Error(`Node, ${name}: ${result.stderr}`);
	return expected;
}

async function main(): Promise<void> {
	provideNc();
	await broker.start();
	const bundles = makeBundles();
	const expected = await expectations(bundles);
	let passed = 0;
	let failed = 0;
	const chosen = process.argv.slice(2);
	for (const [arch, { qemu, qemuCpu, bigEndian }] of Object.entries(ARCHES)) {
		if (chosen.length > 0 && !chosen.includes(arch)) continue;
		const program = path(`.tools/qjs/${arch}/qjs`);
		if (!existsSync(program))
			throw new Error(`${program}: not built (node scripts/package-quickjs.mjs --build-only)`);
		const qjs = [`qemu-${qemu}-static`, ...(qemuCpu ? ["-cpu", qemuCpu] : []), program];
		const start = Date.now();
		const checks = await checksOf(qjs, bundles, expected);
		const bad = checks.filter(([, failures]) => failures.length > 0);
		passed += checks.length - bad.length;
		failed += bad.length;
		const seconds = ((Date.now() - start) / 1000).toFixed(1);
		const outcome =
			bad.length === 0 ? `${checks.length} checks passed` : `${bad.length} of ${checks.length} failed`;
		process.stdout.write(`${arch}${bigEndian ? " (big-endian)" : ""}: ${outcome}, ${seconds} s\n`);
		for (const [name, failures] of bad) process.stdout.write(`  ${name}: ${failures.join("; ")}\n`);
	}
	process.stdout.write(`${passed} passed, ${failed} failed\n`);
	process.exitCode = failed > 0 ? 1 : 0;
}

try {
	await main();
} catch (error) {
	process.stderr.write(`test-arch: ${error instanceof Error ? error.message : error}\n`);
	process.exitCode = 1;
} finally {
	await broker.stop();
	rmSync(scratch, { recursive: true, force: true });
}
