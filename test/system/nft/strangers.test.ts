import { expect, test } from "vitest";
import { Strangers } from "../../../src/system/nft/strangers.ts";

const told = (strangers: Strangers, every: number, packets: number, from = 0) =>
	Array.from({ length: packets }, (_, index) => strangers.packet(from + index * every)).filter(Boolean)
		.length;

test("a few strangers are nothing to speak of", () => {
	expect(told(new Strangers(), 1000, 100)).toBe(0);
	expect(told(new Strangers(), 10, 10)).toBe(0);
});

test("as many as are traced at all are told, once in ten seconds", () => {
	expect(told(new Strangers(), 100, 50)).toBe(1);
	expect(told(new Strangers(), 100, 300)).toBe(3);
});

test("they are told of again after a pause", () => {
	const strangers = new Strangers();
	expect(told(strangers, 50, 30)).toBe(1);
	expect(told(strangers, 50, 10, 100_000)).toBe(0);
	expect(told(strangers, 50, 10, 100_500)).toBe(1);
});

const syn = (source: string) =>
	({
		protocol: "tcp",
		source,
		destination: "192.168.1.1",
		sourcePort: 40000,
		destinationPort: 179,
		flags: ["syn"],
	}) as const;

test("a dial of a host is told once in ten seconds, of any host once in five; what is no dial is not", () => {
	const strangers = new Strangers();
	expect(strangers.dials({ ...syn("192.168.1.9"), flags: ["syn", "ack"] }, [179], 0)).toBe(false);
	expect(strangers.dials({ ...syn("192.168.1.9"), flags: ["rst"] }, [179], 0)).toBe(false);
	expect(strangers.dials(syn("192.168.1.9"), [1790], 0)).toBe(false);
	expect(strangers.dials(syn("192.168.1.7"), [179], 0)).toBe(true);
	expect(strangers.dials(syn("192.168.1.8"), [179], 4999)).toBe(false);
	expect(strangers.dials(syn("192.168.1.7"), [179], 9999)).toBe(false);
	expect(strangers.dials(syn("192.168.1.8"), [179], 5000)).toBe(true);
	expect(strangers.dials(syn("192.168.1.7"), [179], 10_000)).toBe(true);
});

test("a flood from many addresses is remembered for 32 of them", () => {
	const strangers = new Strangers();
	for (let host = 0; host < 100; host++) strangers.dials(syn(`10.0.0.${host}`), [179], host * 5000);
	expect(strangers.dials(syn("10.0.0.99"), [179], 500_000)).toBe(false);
	expect(strangers.dials(syn("10.0.0.0"), [179], 500_000)).toBe(true);
});
