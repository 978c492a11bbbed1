import { describe, expect, test } from "vitest";
import type { Platform, SpawnOptions } from "../../../src/platform/types.ts";
import { Addresses, parseLookup } from "../../../src/report/mqtt/addresses.ts";

const busybox = `Server:		127.0.0.1
Address:	127.0.0.1:53

Name:	broker.lan
Address: 192.0.2.1
Name:	broker.lan
Address: fd00::1

`;

describe("parseLookup", () => {
	test.each([
		["busybox 1.36", busybox, ["192.0.2.1", "fd00::1"]],
		[
			"an older busybox",
			"Server:    127.0.0.1\nAddress 1: 127.0.0.1 localhost\n\nName:      broker.lan\nAddress 1: 192.0.2.1 broker.lan\nAddress 2: fd00::1\n",
			["192.0.2.1", "fd00::1"],
		],
		[
			"BIND, with the same one twice",
			"Server:\t\t127.0.0.53\nAddress:\t127.0.0.53#53\n\nNon-authoritative answer:\nName:\tb.lan\nAddress: 192.0.2.1\nName:\tb.lan\nAddress: 192.0.2.1\n",
			["192.0.2.1"],
		],
		[
			"a name that nobody knows",
			"Server:\t\t127.0.0.1\nAddress:\t127.0.0.1:53\n\n** server can't find x: NXDOMAIN\n",
			[],
		],
		["nothing", "", []],
		["nonsense", "Name: x\nAddress: -e/bin/sh\nAddress: 192.0.2.300\n", []],
	])("%s", (_name, output, expected) => {
		expect(parseLookup(output)).toEqual(expected);
	});
});

describe("Addresses", () => {
	/** What nslookup prints; undefined: it may not be asked. */
	const withAnswer = (host: string, answer: string | undefined) => {
		const platform = {
			after: () => ({ cancel() {} }),
			spawn({ argv, onStdout, onExit }: SpawnOptions) {
				if (answer === undefined) throw new Error("not to be asked");
				expect(argv).toEqual(["nslookup", host]);
				onStdout?.(Uint8Array.from(answer, (letter) => letter.charCodeAt(0)));
				queueMicrotask(() => onExit({ code: 0 }));
				return { pid: 1 };
			},
		} as unknown as Platform;
		const addresses = new Addresses(platform, host);
		/** Whom it tries, failure after failure, until it wants a pause. */
		const round = async () => {
			const tried = [addresses.current()];
			while (await new Promise<boolean>((resolve) => addresses.next(false, resolve)))
				tried.push(addresses.current());
			return tried;
		};
		return { addresses, round };
	};

	test("each address of a name gets its turn, in every round", async () => {
		const { round } = withAnswer("broker.lan", busybox);
		expect(await round()).toEqual(["broker.lan", "192.0.2.1", "fd00::1"]);
		expect(await round()).toEqual(["broker.lan", "192.0.2.1", "fd00::1"]);
	});

	test("what worked is tried first next time, and the others when it does not", async () => {
		const { addresses, round } = withAnswer("broker.lan", busybox);
		for (let failures = 0; failures < 2; failures++)
			await new Promise<boolean>((resolve) => addresses.next(false, resolve));
		expect(addresses.current()).toBe("fd00::1");
		addresses.reset();
		expect(await round()).toEqual(["fd00::1", "192.0.2.1", "fd00::1"]);
		expect(addresses.current()).toBe("broker.lan");
	});

	test("one address is tried where looking up the name may have taken all the time", async () => {
		const { addresses } = withAnswer("a.lan", "Name: a.lan\nAddress: 192.0.2.1\n");
		const next = (slowly: boolean) => new Promise<boolean>((resolve) => addresses.next(slowly, resolve));
		expect(await next(true)).toBe(true);
		expect(addresses.current()).toBe("192.0.2.1");
		expect(await next(true)).toBe(false);
		expect(addresses.current()).toBe("a.lan");
	});

	test("one address is no choice, and nslookup may be missing", async () => {
		expect(await withAnswer("a.lan", "Name: a.lan\nAddress: 192.0.2.1\n").round()).toEqual(["a.lan"]);
		expect(await withAnswer("a.lan", "").round()).toEqual(["a.lan"]);
	});

	test.each(["192.0.2.1", "fd00::1"])("%s is no name to ask for", async (host) => {
		expect(await withAnswer(host, undefined).round()).toEqual([host]);
	});
});
