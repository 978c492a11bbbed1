import { readFileSync } from "node:fs";
import { beforeEach, describe, expect, test } from "vitest";
import { findListener } from "../../../src/system/kernel/listeners.ts";
import { FakeFiles } from "../../fakes/files.ts";

const captured = (name: string) =>
	readFileSync(new URL(`../../fixtures/proc/linux-6.18-${name}.txt`, import.meta.url), "utf8");
const [HEAD = ""] = captured("tcp").split("\n");

let files: FakeFiles;

beforeEach(() => {
	files = new FakeFiles(() => 0);
	listen({});
});

const ANY = "00000000";
const ANY6 = "0".repeat(32);
/** 192.168.1.1, 192.168.1.9, fd00:1::1, ::ffff:192.168.1.1 */
const [LAN, OTHER, LAN6, MAPPED] = [
	"0101A8C0",
	"0901A8C0",
	"010000FD000000000000000001000000",
	"0000000000000000FFFF00000101A8C0",
];

/** Sockets on port 179 (or `ADDRESS:PORT`), by the process that has each. */
function listen(sockets: Readonly<Record<string, string>>): void {
	const lines: Record<"tcp" | "tcp6", string[]> = { tcp: [HEAD], tcp6: [HEAD] };
	for (const [index, [socket, owner]] of Object.entries(sockets).entries()) {
		const [address = "", port = "00B3"] = socket.split(":");
		const rest = "00000000:00000000 00:00000000 00000000     0        0";
		lines[address.length === 8 ? "tcp" : "tcp6"].push(
			`   0: ${address}:${port} ${"0".repeat(address.length)}:0000 0A ${rest} ${5000 + index} 1 0 100 0 0 10 0`,
		);
		const [, name = "", pid = ""] = /^(.*) (\d+)$/.exec(owner) ?? [];
		if (pid === "") continue;
		files.set(`/proc/${pid}/stat`, `${pid} (${name}) S 1 1 1 0 -1`);
		files.set(`/proc/${pid}/fd/0`, "");
		files.set(`/proc/${pid}/fd/${7 + index}`, "");
		files.setLink(`/proc/${pid}/fd/${7 + index}`, `socket:[${5000 + index}]`);
	}
	files.set("/proc/net/tcp", `${lines.tcp.join("\n")}\n`);
	files.set("/proc/net/tcp6", `${lines.tcp6.join("\n")}\n`);
}

const bgp4 = { family: 4, port: 179 } as const;
const bgp6 = { family: 6, port: 179 } as const;
const strict4 = { ...bgp4, address: "192.168.1.1" } as const;
const strict6 = { ...bgp6, address: "fd00:1::1" } as const;
const gobgp = { program: "gobgpd", pid: 900 };

describe("who has the port", () => {
	test.each([
		["nobody", {}, bgp4, "none"],
		["another port is another matter", { [`${ANY}:06FE`]: "gobgpd 900" }, bgp4, "none"],
		["all of IPv4", { [ANY]: "gobgpd 900" }, bgp4, gobgp],
		["all of IPv4, and BIRD wants one", { [ANY]: "gobgpd 900" }, strict4, gobgp],
		["all of IPv4 is nothing to IPv6", { [ANY]: "gobgpd 900" }, bgp6, "none"],
		["all of both", { [ANY6]: "gobgpd 900" }, bgp4, gobgp],
		["all of both, IPv6", { [ANY6]: "gobgpd 900" }, strict6, gobgp],
		["BIRD's address", { [LAN]: "gobgpd 900" }, strict4, gobgp],
		["BIRD's address, through IPv6", { [MAPPED]: "gobgpd 900" }, strict4, gobgp],
		["BIRD's address is nothing to IPv6", { [MAPPED]: "gobgpd 900" }, bgp6, "none"],
		["another address", { [OTHER]: "gobgpd 900" }, strict4, "none"],
		["any address, and BIRD wants all", { [OTHER]: "gobgpd 900" }, bgp4, gobgp],
		["an address of IPv6, and BIRD wants all", { [LAN6]: "gobgpd 900" }, bgp6, gobgp],
		["a name with parentheses", { [ANY]: "a) S 1 (b 900" }, bgp4, { program: "a) S 1 (b", pid: 900 }],
		["BIRD itself", { [ANY]: "bird 300" }, bgp4, { program: "bird", pid: 300 }],
		["BIRD for IPv6, which it never takes for IPv4", { [ANY6]: "bird 300" }, bgp4, "none"],
		["another program beside BIRD", { [ANY6]: "bird 300", [ANY]: "gobgpd 900" }, bgp4, gobgp],
		["another program beside BIRD, found first", { [LAN]: "bird 300", [OTHER]: "gobgpd 900" }, bgp4, gobgp],
		["who is not seen", { [ANY]: "somebody" }, bgp4, {}],
		["who is not seen, beside BIRD", { [ANY6]: "bird 300", [ANY]: "somebody" }, bgp4, {}],
	])("%s", (_, sockets, end, listener) => {
		listen(sockets);
		expect(findListener(files, end)).toEqual(listener);
	});

	test("a process that may not be looked into is not named", () => {
		listen({ [ANY]: "gobgpd 900" });
		files.fail("/proc/900/fd", "Permission denied");
		expect(findListener(files, bgp4)).toEqual({});
		files.fail("/proc/900/fd", undefined);
		files.fail("/proc/900/stat", "No such process");
		expect(findListener(files, bgp4)).toEqual({ pid: 900 });
	});

	test("without the family's file, or with a longer one, it is not known", () => {
		listen({ [ANY]: "gobgpd 900" });
		files.set("/proc/net/tcp", files.read("/proc/net/tcp").padEnd((1 << 20) + 1));
		expect(findListener(files, bgp4)).toBeUndefined();
		files.remove("/proc/net/tcp");
		expect(findListener(files, bgp4)).toBeUndefined();
		files.remove("/proc/net/tcp6");
		expect(findListener(files, bgp6)).toBeUndefined();
	});

	test("a kernel without IPv6 has no tcp6", () => {
		listen({ [ANY]: "gobgpd 900" });
		files.remove("/proc/net/tcp6");
		expect(findListener(files, bgp4)).toEqual(gobgp);
	});
});
