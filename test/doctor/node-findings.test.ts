import { expect, test } from "vitest";
import type { Facts } from "../../src/doctor/facts.ts";
import { judge } from "../../src/doctor/judge.ts";
import { HEALTHY, NOW, PEER, STATUS } from "./sample-facts.ts";

const dialer = (address: string, ago = 60_000) => ({
	address,
	interface: "br-lan",
	since: new Date(NOW - 3_600_000).toISOString(),
	last: new Date(NOW - ago).toISOString(),
});

function withDialers(...dialers: ReturnType<typeof dialer>[]): Facts {
	return { ...HEALTHY, status: { ...STATUS, router: { ...STATUS.router, unknown_dialers: dialers } } };
}

const about = (facts: Facts, id: string) => judge(facts).review.filter((finding) => finding.id === id);

test("a node that dials and is in no bird.conf is a warning", () => {
	expect(about(withDialers(dialer("192.168.1.7")), "unknown-node")).toMatchObject([
		{ level: "yellow", subject: "192.168.1.7" },
	]);
});

test("it is none once it has stopped, or has become a peer", () => {
	expect(about(withDialers(dialer("192.168.1.7", 1_000_000)), "unknown-node")).toEqual([]);
	expect(about(withDialers(dialer("192.168.1.2")), "unknown-node")).toEqual([]);
});

test("the nodes that speak are listed, by name where it is known", () => {
	expect(about(HEALTHY, "nodes")).toMatchObject([{ text: "Nodes that speak BGP: 192.168.1.2." }]);
	const peers = [{ ...PEER, node: "node-1", speaker: "frr-k8s" as const }];
	expect(about({ ...HEALTHY, status: { ...STATUS, peers } }, "nodes")).toMatchObject([
		{ text: "Nodes that speak BGP: node-1 (192.168.1.2, MetalLB)." },
	]);
});

test("a second speaker, which the daemon alone has seen, is told by the doctor as well", () => {
	const peers = [{ ...PEER, note: "second-speaker: another one dials; let one of the two announce" }];
	expect(about({ ...HEALTHY, status: { ...STATUS, peers } }, "second-speaker")).toMatchObject([
		{ level: "yellow", subject: "waukeen", text: "another one dials; let one of the two announce" },
	]);
});
