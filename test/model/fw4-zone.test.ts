import { expect, test } from "vitest";
import { defaultConfig } from "../../src/config/load.ts";
import { missingZones } from "../../src/model/fw4-zone.ts";

const missing = (main: string, peers: Record<string, string | undefined>, zones = ["lan", "wan"]) => {
	const { main: defaults, mqtt } = defaultConfig();
	const sections = Object.entries(peers).map(([name, zone]) => ({ name, ...(zone ? { zone } : {}) }));
	return missingZones({ main: { ...defaults, zone: main }, mqtt, peers: sections }, zones);
};

test("a zone that fw4 has, or none, is fine", () => {
	expect(missing("", {})).toEqual([]);
	expect(missing("lan", { a: "wan", b: undefined })).toEqual([]);
});

test("each zone that fw4 lacks is told once, with all who want it and what may be meant", () => {
	expect(missing("lna", { a: "lna", b: "dmz", c: "wan" })).toEqual([
		"option zone 'lna' (main, a): /etc/config/firewall has no such zone (did you mean 'lan'?), so no rule opens BGP's ports",
		"option zone 'dmz' (b): /etc/config/firewall has no such zone, so no rule opens BGP's ports",
	]);
});
