import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";

const run = promisify(execFile);
const root = fileURLToPath(new URL("..", import.meta.url));
let directory: string;
let outfile: string;
let bundle: string;

/** A program that uses what is hard to bundle: both engines' modules and the MQTT packages. */
const PROGRAM = `
import { createPlatform } from "${root}src/platform/index.ts";
async function main() {
	const platform = await createPlatform();
	const { Duplex, MqttClient } = await import("${root}src/report/mqtt/mqtt-library.ts");
	platform.print("stdout", [__VERSION__, typeof Duplex, typeof MqttClient].join(" "));
	platform.exit(0);
}
void main();
`;

beforeAll(async () => {
	directory = await mkdtemp(join(tmpdir(), "bgpwarden-build-"));
	outfile = join(directory, "out.mjs");
	await writeFile(join(directory, "entry.ts"), PROGRAM);
	await run(process.execPath, [join(root, "scripts/build.mjs"), join(directory, "entry.ts"), outfile]);
	bundle = await readFile(outfile, "utf8");
}, 30_000);

afterAll(() => rm(directory, { recursive: true }));

test("leaves the engines' modules to the engines, imported on demand", () => {
	const imports = [...bundle.matchAll(/import\("([^"]+)"\)/g)].map(([, name]) => name);
	expect(imports).toEqual(expect.arrayContaining(["std", "os", "node:fs", "node:net"]));
	expect(imports.filter((name) => !/^(std|os|node:.+)$/.test(name ?? ""))).toEqual([]);
	expect(bundle).not.toMatch(/^import /m);
});

test("needs nothing of Node's inside the embedded packages", () => {
	expect(bundle).not.toMatch(/\brequire\("/);
	expect(bundle).not.toContain("Dynamic require");
});

test("runs under node", async () => {
	const { version } = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
	const { stdout } = await run(process.execPath, [outfile]);
	expect(stdout).toBe(`${version} function function`);
});

test("compiles the packages only where they are imported, and hands on their licenses", async () => {
	expect(bundle.match(/new Function\(/g)).toHaveLength(1);
	const licenses = await readFile(outfile.replace(/\.mjs$/, ".licenses.txt"), "utf8");
	for (const name of ["mqtt", "mqtt-packet", "readable-stream"])
		expect(licenses).toMatch(new RegExp(`^${name} \\d`, "m"));
});
