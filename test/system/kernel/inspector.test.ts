import { readFileSync } from "node:fs";
import { beforeEach, expect, test } from "vitest";
import type { Inspection } from "../../../src/model/inspection.ts";
import { type InspectionTarget, Inspector } from "../../../src/system/kernel/inspector.ts";
import { FakePlatform } from "../../fakes/platform.ts";

const COUNT = "/proc/sys/net/netfilter/nf_conntrack_count";
const TABLE = "/proc/net/nf_conntrack";

let platform: FakePlatform;
/** What `ip neigh` says, one answer after the other. */
let neighbors: string[];
let route: { out?: string; err?: string; code: number };

beforeEach(() => {
	platform = new FakePlatform();
	const captured = (name: string) =>
		readFileSync(new URL(`../../fixtures/conntrack/${name}`, import.meta.url), "utf8");
	platform.files.set("/proc/net/fib_trie", captured("linux-6.18-fib_trie.txt"));
	platform.files.set("/proc/net/if_inet6", captured("linux-6.18-if_inet6.txt"));
	platform.files.set("/proc/net/route", "Iface\tDestination\n");
	platform.files.set(COUNT, "0\n");
	platform.files.set(TABLE, "");
	neighbors = ["192.168.1.2 dev br-lan lladdr 02:00:00:00:00:02 REACHABLE \n"];
	route = { out: "192.168.1.2 dev br-lan src 192.168.1.1 uid 0 \n", code: 0 };
	platform.program("ip", (child) => {
		if (child.argv.includes("route")) {
			child.out(route.out ?? "");
			child.err(route.err ?? "");
			child.end(route.code);
			return;
		}
		child.out((neighbors.length > 1 ? neighbors.shift() : neighbors[0]) ?? "");
		child.end(0);
	});
	platform.program("ping", (child) => child.end(1));
});

async function inspect(
	peer: InspectionTarget = { address: "192.168.1.2", routeMark: 0, ports: [179] },
): Promise<Inspection> {
	let result: Inspection | undefined;
	void new Inspector(platform).inspect(peer).then((value) => {
		result = value;
	});
	await platform.settle();
	if (!result) throw new Error("no result");
	return result;
}

const started = () => platform.children.map((child) => child.argv.join(" "));

test("route, neighbor and conntrack, by two processes where /proc shows conntrack", async () => {
	platform.files.set(COUNT, "2\n");
	const flow = (source: string) =>
		`ipv4     2 tcp      6 57 SYN_SENT src=${source} dst=192.168.1.1 sport=40000 dport=179 [UNREPLIED] src=192.168.1.1 dst=${source} sport=179 dport=40000 mark=7 use=1\n`;
	platform.files.set(
		TABLE,
		flow("192.168.1.2") +
			flow("192.168.1.9") +
			flow("192.168.1.2").replaceAll("192.168.1.1 ", "203.0.113.9 "),
	);
	const seen = await inspect();
	expect(seen).toMatchObject({
		route: { interface: "br-lan" },
		neighbor: { interface: "br-lan", state: "REACHABLE" },
	});
	expect(seen.flows).toMatchObject([{ original: { source: "192.168.1.2" }, unreplied: true, mark: 7 }]);
	expect(started()).toEqual(["ip -4 route get 192.168.1.2", "ip -4 neigh show"]);
});

test.each([
	["only remembered", "192.168.1.2 dev br-lan lladdr 02:00:00:00:00:02 STALE \n"],
	["forgotten", ""],
])("a neighbor that is %s is asked with one packet", async (_, before) => {
	neighbors = [before, "192.168.1.2 dev br-lan FAILED \n"];
	expect((await inspect()).neighbor).toEqual({ interface: "br-lan", state: "FAILED" });
	expect(started()).toContain("ping -c 1 -W 1 192.168.1.2");
});

test("the gateway is the neighbor where the route has one", async () => {
	route = { out: "10.0.0.2 via 192.168.1.9 dev br-lan src 192.168.1.1 uid 0 \n", code: 0 };
	neighbors = ["192.168.1.9 dev br-lan lladdr 02:00:00:00:00:09 REACHABLE \n"];
	const { neighbor } = await inspect({ address: "10.0.0.2", routeMark: 0, ports: [179] });
	expect(neighbor).toEqual({ interface: "br-lan", state: "REACHABLE" });
});

test("the route is asked for as the router's packets have it: with their mark, and through a link-local address's interface", async () => {
	await inspect({ address: "fe80::2", zone: "br-lan", ports: [179], routeMark: 0x80000 });
	expect(started()[0]).toBe("ip -6 route get fe80::2 oif br-lan mark 524288");
});

test("no route is the kernel's word", async () => {
	route = { err: "RTNETLINK answers: Network is unreachable\n", code: 2 };
	expect(await inspect()).toEqual({ noRoute: "Network is unreachable", flows: [], network: "none" });
});

test("what cannot be asked is absent", async () => {
	platform.program("ip", (child) => child.end(127));
	expect(await inspect()).toEqual({ flows: [], network: "none" });
});

test("a range that BIRD could not listen for: who has the port, and no route to a whole network", async () => {
	platform.files.set("/proc/net/tcp", "");
	const range = { address: "192.168.9.0/24", routeMark: 0, ports: [179], listen: { port: 179 } } as const;
	expect(await inspect(range)).toEqual({ listener: "none" });
	expect(started()).toEqual([]);
});

test("whether BIRD's address is this router's, and which network the peer is in", async () => {
	platform.files.set("/proc/net/route", "br-lan\t0001A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n");
	const peer = { address: "192.168.1.2", routeMark: 0, ports: [179] } as const;
	expect(await inspect({ ...peer, localAddress: "192.168.1.1" })).toMatchObject({
		network: { prefix: "192.168.1.0/24", interface: "br-lan" },
		hasLocalAddress: true,
	});
	expect(await inspect({ ...peer, localAddress: "192.168.1.99" })).toMatchObject({ hasLocalAddress: false });
	expect(await inspect(peer)).not.toHaveProperty("hasLocalAddress");
	platform.files.remove("/proc/net/fib_trie");
	expect(await inspect({ ...peer, localAddress: "192.168.1.1" })).not.toHaveProperty("hasLocalAddress");
});

test("of many peers each is asked for its route, and the kernel once for the rest", async () => {
	platform.files.set(COUNT, "2000\n");
	platform.program("conntrack", (child) => child.end(0));
	const hosts = Array.from({ length: 200 }, (_, index) => `192.168.1.${index + 2}`);
	neighbors = [hosts.map((host) => `${host} dev br-lan lladdr 02:00:00:00:00:02 REACHABLE \n`).join("")];
	const inspector = new Inspector(platform);
	let told = 0;
	for (let host = 2; host < 202; host++)
		for (let again = 0; again < 2; again++)
			void inspector.inspect({ address: `192.168.1.${host}`, routeMark: 0, ports: [179] }).then(() => told++);
	let most = 0;
	for (let step = 0; step < 2000 && told < 400; step++) {
		platform.advance(20);
		await platform.settle();
		most = Math.max(most, platform.childCount);
	}
	expect(told).toBe(400);
	expect(most).toBeLessThanOrEqual(2);
	const asked = started();
	// The first is asked at once, and was wanted again by then.
	expect(asked.filter((line) => line.includes("route get"))).toHaveLength(201);
	// What is older than a second is read again: 200 peers take five.
	expect(asked.filter((line) => line.startsWith("conntrack")).length).toBeLessThan(10);
	expect(asked.filter((line) => line.includes("neigh")).length).toBeLessThan(10);
	expect(asked.filter((line) => line.startsWith("ping"))).toEqual([]);
});
