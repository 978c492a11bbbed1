import { readdirSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";

/** What is installed from elsewhere is one and the same everywhere: pinned, and npm's packages by their hashes. */
const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
const manifest: Record<string, unknown> = JSON.parse(read("package.json"));
const lock: {
	readonly packages: Readonly<
		Record<string, { version?: string; integrity?: string; devDependencies?: object }>
	>;
} = JSON.parse(read("package-lock.json"));
const VERSION = /^\d+\.\d+\.\d+(?:-[\w.]+)?$/;

it("package.json names exact versions, and nothing that an installed router would need", () => {
	const kinds = Object.keys(manifest).filter((key) => /dependencies$/i.test(key));
	expect(kinds).toEqual(["devDependencies"]);
	const named = Object.entries(manifest.devDependencies as Record<string, string>);
	expect(named.length).toBeGreaterThan(10);
	expect(named.filter(([, version]) => !VERSION.test(version))).toEqual([]);
});

it("package-lock.json is of these, and has a version and a hash of each package", () => {
	const { "": root, ...packages } = lock.packages;
	expect(root?.devDependencies).toEqual(manifest.devDependencies);
	const all = Object.entries(packages);
	expect(all.length).toBeGreaterThan(100);
	const loose = all.filter(
		([, { version = "", integrity = "" }]) =>
			!VERSION.test(version) || !/^sha512-[A-Za-z0-9+/]{86}==$/.test(integrity),
	);
	expect(loose.map(([path]) => path)).toEqual([]);
});

it("no package of npm's runs a script of its own when it is installed, but those that are known", () => {
	const scripts = Object.entries(lock.packages).filter(([, each]) => "hasInstallScript" in each);
	expect(scripts.map(([path]) => path.replace(/^node_modules\//, "")).sort()).toEqual(["esbuild"]);
});

it.each(readdirSync(new URL("../ha", import.meta.url)).filter((name) => name.endsWith(".txt")))(
	"test/ha/%s names exact versions",
	(name) => {
		const lines = read(`test/ha/${name}`)
			.split("\n")
			.filter((line) => line !== "" && !/^(?:#|--no-binary )/.test(line));
		expect(lines.length).toBeGreaterThan(0);
		expect(lines.filter((line) => !/^[\w.[\]-]+==[\w.!+-]+$/.test(line))).toEqual([]);
	},
);
