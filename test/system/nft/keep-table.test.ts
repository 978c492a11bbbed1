import { beforeEach, describe, expect, test } from "vitest";
import type { TableSpec } from "../../../src/model/table.ts";
import { TableKeeper } from "../../../src/system/nft/keep-table.ts";
import { createNft } from "../../../src/system/nft/nft.ts";
import type { Protection } from "../../../src/system/nft/protection.ts";
import { FakePlatform } from "../../fakes/platform.ts";

const INCLUDE = "/usr/share/nftables.d/ruleset-post/bgp.nft";
const spec: TableSpec = {
	table: "custom_bgp",
	scope: "any",
	forwarded: false,
	bypassMark: "keep",
	routeMark: "keep",
	addresses: [],
	ports: [179],
};

let platform: FakePlatform;
/** What each install was to own. */
let asked: (boolean | undefined)[];
let keeper: TableKeeper;
/** Information for the log. */
let told: string[];
beforeEach(() => {
	platform = new FakePlatform();
	asked = [];
	told = [];
	const protection: Protection = {
		prepare: () => {},
		configure: () => {},
		confirm: () => {},
		release: async () => ({ ok: true }),
		async apply({ own }) {
			asked.push(own);
			return { ok: true, mode: own ? "owned" : "installed" };
		},
	};
	keeper = new TableKeeper(platform, createNft(platform), protection, (text) => told.push(text));
});

const install = async (own?: false) => {
	const action = { type: "install", spec, former: [], ...(own === false ? { own } : {}) } as const;
	return (await keeper.install(action, { knowsProcesses: true })).filter(({ type }) => type !== "problem");
};

describe("a file that fw4 includes and that names the table", () => {
	const seen = { type: "firewall_seen", includes: [{ path: INCLUDE, line: "table inet custom_bgp {" }] };

	test("keeps the next install from owning it, and the warden hears of it", async () => {
		expect(await install()).toEqual([{ type: "installed", owned: true }]);
		platform.files.set(INCLUDE, "table inet custom_bgp {\n}\n");
		expect(await install()).toEqual([{ type: "installed", owned: false }, seen]);
		platform.files.remove(INCLUDE);
		expect(await install()).toEqual([{ type: "installed", owned: true }]);
		expect(asked).toEqual([true, false, true]);
	});

	test("is no news where the table is not to be owned anyway", async () => {
		platform.files.set(INCLUDE, "table inet custom_bgp {\n}\n");
		expect(await install(false)).toEqual([{ type: "installed", owned: false }]);
	});

	test("is seen by a look", async () => {
		platform.files.set(INCLUDE, "table inet custom_bgp {\n}\n");
		expect(await keeper.look("custom_bgp", false)).toEqual(seen);
		expect(platform.children).toEqual([]);
	});
});

test.each([
	["table inet custom_bgp\ntable inet fw4\n", "there"],
	["table ip fw4\ntable inet fw4x\n", "missing"],
])("a look may ask the kernel for fw4's table: %j", async (tables, table) => {
	platform.program("nft", (child) => {
		child.out(tables);
		child.end(0);
	});
	const look = keeper.look("custom_bgp", true);
	await platform.settle();
	expect(await look).toEqual({ type: "firewall_seen", includes: [], table });
	expect(platform.children.map(({ argv }) => argv.join(" "))).toEqual(["nft list tables"]);
});

test("an nft that fails says nothing about fw4", async () => {
	const look = keeper.look("custom_bgp", true);
	await platform.settle();
	expect(await look).toEqual({ type: "firewall_seen", includes: [] });
});

describe("the copy for the next boot", () => {
	const PATH = "/etc/bgpwarden/table.nft";
	const solved = { type: "problem", kind: "table_file", text: undefined };

	test("comes back when it was deleted, and that is logged", async () => {
		expect(keeper.checkFile()).toEqual([]);
		await install();
		const text = platform.files.read(PATH);
		expect(keeper.checkFile()).toEqual([]);
		platform.files.remove(PATH);
		expect(keeper.checkFile()).toEqual([solved]);
		expect(platform.files.read(PATH)).toBe(text);
		expect(told).toEqual([`${PATH} was missing; written again`]);
		expect(keeper.saved.table_file).toMatch(/^[0-9a-f]{8}$/);
	});

	test("stays away while the table is released, until it is installed again", async () => {
		await install();
		await keeper.release([]);
		platform.files.remove(PATH);
		expect(keeper.checkFile()).toEqual([]);
		expect(platform.files.status(PATH)).toBeUndefined();
		await install();
		expect(platform.files.status(PATH)).toBeDefined();
	});

	test("of another configuration stays while the defaults are in force, and nobody asks for another text", async () => {
		platform.files.set(PATH, "table inet mine { }");
		keeper.fallback = true;
		await install();
		expect(keeper.checkFile()).toEqual([]);
		expect(platform.files.read(PATH)).toBe("table inet mine { }");
		expect(keeper.saved).toEqual({});
		platform.files.remove(PATH);
		keeper.checkFile();
		expect(platform.files.status(PATH)).toBeDefined();
	});
});
