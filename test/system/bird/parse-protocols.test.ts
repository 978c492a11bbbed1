import { describe, expect, it } from "vitest";
import { parseProtocols } from "../../../src/system/bird/protocol-reader.ts";
import { parseConfigured, parseReply } from "../../../src/system/bird/replies.ts";

const BIRD2 = "received   rejected   filtered    ignored   accepted";
const BIRD3 = "received   rejected   filtered    ignored   RX limit      limit   accepted";

function updates(...channels: (readonly [heading: string | undefined, row: string])[]) {
	const details = channels.flatMap(([heading, row], index) => [
		`  Channel ipv${index === 0 ? 4 : 6}`,
		"    Input filter:   ACCEPT",
		"    Routes:         1 imported, 2 filtered, 3 exported, 1 preferred",
		...(heading === undefined ? [] : [`    Route change stats:     ${heading}`]),
		`      Import updates:         ${row}`,
		"      Import withdraws:            7          7        ---          7          7",
		"      Export updates:              9          9          9        ---          9",
	]);
	const text = [
		"2002-Name       Proto      Table      State  Since         Info",
		"1002-waukeen    BGP        ---        up     11:02:03.004  Established",
		"1006-  BGP state:          Established",
		...details.map((line) => `     ${line}`),
		"     ",
	];
	return parseProtocols(parseReply(`${text.join("\n")}\n`) ?? { lines: [] })?.[0]?.updates;
}

it("a session that is lost and whose routes BIRD keeps (BIRD 3.1.8; BIRD 2 says the same)", () => {
	const seen = (...lines: readonly string[]) => {
		const text = [
			"2002-Name       Proto      Table      State  Since         Info",
			"1002-waukeen    BGP        ---        start  11:02:03.004  Passive       Socket: Connection closed",
			"1006-  BGP state:          Passive",
			...lines.map((line) => `     ${line}`),
			"       Channel ipv4",
			"         Neighbor graceful restart active",
			"     ",
		];
		return parseProtocols(parseReply(`${text.join("\n")}\n`) ?? { lines: [] })?.[0]?.keepsRoutes;
	};
	expect(seen("    Neighbor graceful restart active", "    Restart timer:    118.900/-")).toBe(true);
	expect(seen("    Neighbor AS:      65009")).toBeUndefined();
});

describe("Import updates", () => {
	it.each([
		["BIRD 2", BIRD2, "12 3 4 5 6", { received: 12, rejected: 3, filtered: 4, withdrawn: 7 }],
		["BIRD 3", BIRD3, "12 3 4 5 6 7 8", { received: 12, rejected: 3, filtered: 4, withdrawn: 7 }],
		[
			"columns in another order",
			"filtered ignored received rejected",
			"4 5 12 3",
			{ received: 12, rejected: 3, filtered: 4, withdrawn: 0 },
		],
	])("of %s", (_, heading, row, expected) => {
		expect(updates([heading, row])).toEqual(expected);
	});

	it("are the sum of all channels that say so", () => {
		expect(updates([BIRD3, "12 3 4 5 6 7 8"], [BIRD3, "1 1 1 1 1 1 1"])).toEqual({
			received: 13,
			rejected: 4,
			filtered: 5,
			withdrawn: 14,
		});
		expect(updates([BIRD2, "12 3 4 5 6"], [BIRD2, "--- --- --- --- ---"])).toMatchObject({ received: 12 });
	});

	it.each([
		["no heading", undefined, "12 3 4 5 6"],
		["a column that does not apply", BIRD2, "12 3 --- 5 6"],
		["fewer columns than the heading says", BIRD2, "12 3"],
		["a heading without one of them", "received rejected ignored", "1 2 3"],
		["no numbers", BIRD2, "a b c d e"],
		["a number that is too long", BIRD2, "99999999999999999999 3 4 5 6"],
	])("are not known with %s", (_, heading, row) => {
		expect(updates([heading, row])).toBeUndefined();
	});
});

describe("parseConfigured", () => {
	const status = (last: string) =>
		parseConfigured(
			parseReply(
				`1000-BIRD 2.0.7\n1011-Router ID is 1.1.1.1\n     Last reboot on 2026-11-27 09:00:00.000\n     ${last}\n0013 Daemon is up and running\n`,
			) ?? { lines: [] },
		);

	it.each(["2026-11-27 09:00:00.000", "1795927717.358", "27.11.2026 09:00", "Nov27"])("reads %s", (time) => {
		expect(status(`Last reconfiguration on ${time}`)).toBe(time);
	});

	it.each([
		"Last reconfiguration on ",
		"Last reboot on 2026-11-27 09:00:00.000",
		"Reconfiguration in progress",
	])("does not know it from '%s'", (line) => {
		expect(status(line)).toBeUndefined();
	});
});
