import { describe, expect, test } from "vitest";
import { parseRequest, requestLine } from "../../../src/system/control/request.ts";

describe("requests", () => {
	test.each([
		[{ verb: "ensure" }, "ensure\n"],
		[{ verb: "release", id: "1" }, "release #1\n"],
		[{ verb: "flush", id: "12-3" }, "flush #12-3\n"],
		[{ verb: "restart", peer: "waukeen" }, "restart waukeen\n"],
		[{ verb: "restart", peer: "link-local.6", id: "1" }, "restart link-local.6 #1\n"],
	] as const)("%o is written as %j and read back", (command, line) => {
		// On a line of its own, whatever somebody else has begun.
		expect(requestLine(command)).toBe(`\n${line}`);
		expect(parseRequest(line)).toEqual(command);
	});

	test.each(["", "reboot", "ensure now", "restart", "restart a b", "flush #../../etc/x", "ensure\u0000"])(
		"%j is none",
		(line) => {
			expect(parseRequest(line)).toBeUndefined();
		},
	);
});
