import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parseTcpSockets, TCP_LISTEN } from "../../../src/system/kernel/tcp-sockets.ts";

function captured(name: string): string {
	return readFileSync(new URL(`../../fixtures/proc/linux-6.18-${name}.txt`, import.meta.url), "utf8");
}

test("the listening sockets of a router, of both families and both byte orders", () => {
	const ends = (text: string, littleEndian = true) =>
		parseTcpSockets(text, littleEndian)
			.filter(({ state }) => state === TCP_LISTEN)
			.map(({ localAddress, localPort }) => `${localAddress} ${localPort}`);
	const [ipv4, ipv6] = [
		["0.0.0.0 179", "192.168.1.1 1790"],
		[":: 1791", ":: 179", "fd00:1::1 1790", "192.168.1.1 1792"],
	];
	expect(ends(captured("tcp"))).toEqual(ipv4);
	expect(ends(captured("tcp6"))).toEqual(ipv6);
	// As a big-endian router prints it.
	const swap = (text: string) =>
		text.replace(/[0-9A-F]{8,32}(?=:[0-9A-F]{4} )/g, (words) =>
			words.replace(/(..)(..)(..)(..)/g, "$4$3$2$1"),
		);
	expect(swap(captured("tcp"))).toContain("C0A80101:06FE");
	expect(ends(swap(captured("tcp")), false)).toEqual(ipv4);
	expect(ends(swap(captured("tcp6")), false)).toEqual(ipv6);
});

test.each(["tcp", "tcp6"])("each line of a capture of %s is a socket, with its inode", (name) => {
	const sockets = parseTcpSockets(captured(name), true);
	expect(sockets).toHaveLength(captured(name).trim().split("\n").length - 1);
	for (const { inode } of sockets) expect(inode).toMatch(/^\d+$/);
});
