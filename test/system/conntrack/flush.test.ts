import { readFileSync } from "node:fs";
import { beforeEach, describe, expect, it } from "vitest";
import { type FlushResult, flushConntrack } from "../../../src/system/conntrack/flush.ts";
import { FakePlatform } from "../../fakes/platform.ts";

const COUNT = "/proc/sys/net/netfilter/nf_conntrack_count";
const TABLE = "/proc/net/nf_conntrack";
/** Lines of the fixture that are stale, by the source port that each has of its own. */
const STALE = [49152, 49153, 60782, 60783, 60784, 60785];

let platform: FakePlatform;
/** The kernel's entries, as `conntrack -L -o extended` prints them. */
let entries: string[];
/** What `conntrack -D` was told to delete, run by run. */
let deletions: string[][];
/** How often stale entries come back after a deletion. */
let revivals: number;

function captured(name: string): string {
	return readFileSync(new URL(`../../fixtures/conntrack/${name}`, import.meta.url), "utf8");
}

function isStale(entry: string): boolean {
	return STALE.some((port) => entry.includes(` sport=${port} `));
}

async function flush(milliseconds = 0): Promise<FlushResult> {
	let result: FlushResult | undefined;
	void flushConntrack(platform, [179]).then((value) => {
		result = value;
	});
	await platform.settle();
	platform.advance(milliseconds);
	await platform.settle();
	if (!result) throw new Error("no result");
	return result;
}

/** Shows the entries in /proc as well, as kernels do that have it. */
function showProc(): void {
	platform.files.set(COUNT, `${entries.length}\n`);
	platform.files.set(TABLE, entries.map((entry) => `${entry}\n`).join(""));
}

function programs(): string[] {
	return platform.children.map((child) => child.argv.join(" "));
}

beforeEach(() => {
	platform = new FakePlatform();
	platform.files.set("/proc/net/fib_trie", captured("linux-6.18-fib_trie.txt"));
	platform.files.set("/proc/net/route", "Iface\tDestination\n");
	platform.files.set("/proc/net/if_inet6", captured("linux-6.18-if_inet6.txt"));
	entries = captured("conntrack-1.4.8-extended.txt").trim().split("\n");
	deletions = [];
	revivals = 0;
	platform.program("conntrack", (child) => {
		if (child.argv[1] === "-L") {
			for (const entry of entries) child.out(`${entry}\n`);
			child.err(`conntrack v1.4.8 (conntrack-tools): ${entries.length} flow entries have been shown.\n`);
			child.end(0);
			return;
		}
		child.onStdinEnd(() => {
			deletions.push(child.written.trim().split("\n"));
			const deleted = entries.filter(isStale);
			for (const entry of deleted) child.out(`${entry.replace(/^\S+ +\d+ /, "")}\n`);
			if (revivals-- <= 0) entries = entries.filter((entry) => !isStale(entry));
			if (platform.files.status(TABLE)) showProc();
			child.end(0);
		});
	});
});

describe("flushConntrack", () => {
	it("lists, deletes through one process, and looks again", async () => {
		const result = await flush();
		expect(result).toMatchObject({ ok: true, deleted: 6, left: 0 });
		expect(programs()).toEqual([
			"conntrack -L -o extended",
			"conntrack -R /proc/self/fd/0",
			"conntrack -L -o extended",
		]);
		expect(deletions.map((lines) => lines.toSorted())).toEqual([
			[
				"-D -f ipv4 -p tcp --orig-dst 192.168.1.1 --orig-port-dst 179",
				"-D -f ipv4 -p tcp --orig-src 192.168.1.1 --orig-port-dst 179",
				"-D -f ipv4 -p udp --orig-src 192.168.1.1 --orig-port-dst 4784",
				"-D -f ipv6 -p tcp --orig-dst fd00:1::1 --orig-port-dst 179",
				"-D -f ipv6 -p udp --orig-dst fe80::1 --orig-port-dst 3784",
			],
		]);
		expect(platform.pendingTimers).toBe(0);
	});

	it("tells which connections to this router are over, as the hosts that dialed have them", async () => {
		const result = await flush();
		expect("connections" in result ? result.connections : undefined).toEqual([
			{ localAddress: "192.168.1.1", localPort: 179, peerAddress: "192.168.1.2", peerPort: 60782 },
			{ localAddress: "fd00:1::1", localPort: 179, peerAddress: "fd00:1::2", peerPort: 60784 },
		]);
	});

	it("tells of 64 of them at most", async () => {
		for (let host = 3; host < 203; host++)
			entries.push(
				`ipv4     2 tcp      6 9 ESTABLISHED src=192.168.1.${host} dst=192.168.1.1 sport=60782 dport=179 ` +
					`src=192.168.1.1 dst=192.168.1.${host} sport=179 dport=60782 [ASSURED] mark=0 use=1`,
			);
		const result = await flush();
		expect("connections" in result ? result.connections : undefined).toHaveLength(64);
	});

	it("does not take the SYN of a reset of its own for a stale connection", async () => {
		entries = [
			"ipv4     2 tcp      6 119 SYN_SENT src=192.168.1.1 dst=192.168.1.2 sport=41000 dport=40001 " +
				"[UNREPLIED] src=192.168.1.2 dst=192.168.1.1 sport=40001 dport=179 mark=0 use=1",
		];
		expect(await flush()).toMatchObject({ ok: true, deleted: 0, left: 0 });
	});

	it("tries three times and tells what is left", async () => {
		revivals = 9;
		expect(await flush()).toMatchObject({ ok: true, deleted: 18, left: 6 });
		expect(deletions).toHaveLength(3);
	});

	it("starts no process when /proc shows that nothing is stale", async () => {
		entries = entries.filter((entry) => !isStale(entry));
		showProc();
		platform.program("conntrack", undefined);
		expect(await flush()).toMatchObject({ ok: true, deleted: 0, left: 0 });
		expect(programs()).toEqual([]);
	});

	it("lists from /proc and starts one process to delete", async () => {
		showProc();
		expect(await flush()).toMatchObject({ ok: true, deleted: 6, left: 0 });
		expect(programs()).toEqual(["conntrack -R /proc/self/fd/0"]);
	});

	it("does not read a long table whole", async () => {
		showProc();
		platform.files.set(COUNT, "10000\n");
		await flush();
		expect(programs()[0]).toBe("conntrack -L -o extended");
	});

	it.each([COUNT, TABLE])("does without %s", async (path) => {
		showProc();
		platform.files.fail(path, "Permission denied");
		expect(await flush()).toMatchObject({ ok: true, deleted: 6, left: 0 });
	});

	it("gives as many flows of a kind one line", async () => {
		for (let port = 10_000; port < 12_000; port++)
			entries.push(
				`ipv4     2 tcp      6 9 SYN_SENT src=192.168.1.7 dst=192.168.1.1 sport=${port} dport=179 ` +
					`[UNREPLIED] src=192.168.1.1 dst=192.168.1.7 sport=179 dport=${port} mark=0 use=1`,
			);
		await flush();
		expect(deletions[0]).toHaveLength(5);
	});

	it("is not troubled by lines that are no entries", async () => {
		entries.unshift("x".repeat(10_000_000), "\u0000\u0001", "tcp 6 dport=179 ", "");
		expect(await flush()).toMatchObject({ ok: true, deleted: 6, left: 0 });
	});

	it.each([
		["not there", 127, "", "conntrack: not found (is the package conntrack installed?)"],
		[
			"refused",
			1,
			"conntrack v1.4.8 (conntrack-tools): Operation failed: Operation not permitted\n",
			"conntrack -L -o extended: exit 1: conntrack v1.4.8 (conntrack-tools): Operation failed: Operation not permitted",
		],
	])("says in one line that conntrack is %s", async (_, code, words, reason) => {
		platform.program("conntrack", (child) => {
			child.err(words);
			child.end(code);
		});
		expect(await flush()).toEqual({ ok: false, reason });
	});

	it("says that a deletion failed", async () => {
		showProc();
		platform.program("conntrack", (child) => child.onStdinEnd(() => child.end(2)));
		expect(await flush()).toEqual({ ok: false, reason: "conntrack -R /proc/self/fd/0: exit 2" });
	});

	it("gives up after 5 s", async () => {
		platform.program("conntrack", () => {});
		expect(await flush(5000)).toEqual({ ok: false, reason: "conntrack -L -o extended: no end after 5 s" });
		expect(platform.running("conntrack")).toHaveLength(0);
	});

	it("deletes nothing when it does not know the router's addresses", async () => {
		platform.files.fail("/proc/net/fib_trie", "Permission denied");
		expect(await flush()).toEqual({ ok: false, reason: "read: /proc/net/fib_trie: Permission denied" });
		expect(platform.children.map(({ argv }) => argv.join(" "))).toEqual(["ip -o addr show"]);
	});
});
