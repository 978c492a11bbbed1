import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parseOpen } from "../../../src/system/bird/parse-open.ts";

const directory = new URL("../../fixtures/bird/speakers/", import.meta.url);
const files = readdirSync(directory).filter((name) => name.endsWith(".txt"));

/** The lines of the one BGP protocol, without codes. */
function details(name: string): string[] {
	const lines = readFileSync(new URL(name, directory), "utf8").split("\n");
	const start = lines.findIndex((line) => /^1002-\S+ +BGP /.test(line));
	return lines.slice(start + 1).map((line) => line.slice(5));
}

const programs = [
	["frr-k8s", "frr"],
	["frr-mode", "frr"],
	["gobgp", "gobgp"],
	["calico", "bird"],
	["native", "metallb-native"],
] as const;

describe.each(programs)("what %s says of itself", (speaker, program) => {
	const captured = files.filter((name) => name.includes(`-${speaker}-`));

	test("is captured with several versions of BIRD", () => {
		expect(new Set(captured.map((name) => name.split("-")[1])).size).toBeGreaterThan(1);
	});

	test.each(captured)("is understood: %s", (name) => {
		const open = parseOpen(details(name));
		expect(open?.program).toBe(program);
		expect(open?.hostname).toBe(program === "frr" || program === "gobgp" ? "speaker" : undefined);
		expect(open?.restarts).toBe(name.includes("-graceful") ? true : undefined);
	});
});

const said = (...lines: readonly string[]) =>
	parseOpen(["    Neighbor capabilities", ...lines.map((line) => `      ${line}`), "    Session:  external"]);

describe("a peer's capabilities", () => {
	test("are absent while the session is down, and where they tell nothing", () => {
		expect(parseOpen(["  BGP state:          Active", "    Neighbor address: 192.168.1.2"])).toBeUndefined();
		expect(said("Route refresh")).toBeUndefined();
	});

	test("are the peer's, not this router's", () => {
		const own = ["    Local capabilities", "      Enhanced refresh", "      Route refresh"];
		expect(parseOpen([...own, "    Neighbor capabilities", "    Session:  external"])).toBeUndefined();
	});

	test.each([
		["Hostname: node\u001b[31m", "node\\x1b[31m"],
		[`Hostname: ${"n".repeat(300)}`, `${"n".repeat(63)}…`],
		["Hostname:", undefined],
	])("hold a name that is made harmless: %j", (line, hostname) => {
		expect(said("Route refresh", "Enhanced refresh", line)?.hostname).toBe(hostname);
	});

	test("of an FRR that does not know newer ones are FRR's all the same, never GoBGP's", () => {
		const old = ["Multiprotocol", "Route refresh", "4-octet AS numbers", "ADD-PATH", "Hostname: node"];
		expect(said(...old)?.program).toBe("frr");
	});

	test("of a helper do not say that the peer's restart keeps routes", () => {
		expect(said("Enhanced refresh", "Route refresh", "Graceful restart")?.restarts).toBeUndefined();
		const line = "  AF supported:";
		expect(said("Enhanced refresh", "Route refresh", "Graceful restart", line)?.restarts).toBeUndefined();
	});
});
