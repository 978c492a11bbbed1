import { expect, test } from "vitest";
import { ipv4OfHex, ipv6OfHex, ipv6OfWords } from "../../../src/system/kernel/proc-text.ts";

test("IPv4 is a number in the machine's order", () => {
	expect(ipv4OfHex("0101A8C0", true)).toBe("192.168.1.1");
	expect(ipv4OfHex("C0A80101", false)).toBe("192.168.1.1");
	expect(ipv4OfHex("0101a8c0", true)).toBe("192.168.1.1");
});

test("IPv6 is in network order, or in four words of the machine's", () => {
	const address = "fd00:0001:0000:0000:0000:0000:0000:0201";
	expect(ipv6OfHex("fd000001000000000000000000000201")).toBe(address);
	expect(ipv6OfWords("010000FD000000000000000001020000", true)).toBe(address);
	expect(ipv6OfWords("FD000001000000000000000000000201", false)).toBe(address);
});

test.each(["", "0101A8C", "0101A8C00", "0101A8CG", "-101A8C0", "0x01A8C0"])("'%s' is no address", (text) => {
	expect(ipv4OfHex(text)).toBeUndefined();
	expect(ipv6OfHex(text)).toBeUndefined();
	expect(ipv6OfWords(text)).toBeUndefined();
});
