import { expect, test } from "vitest";
import { renderFrr } from "../../src/render/frr-conf.ts";
import { article, article6, type Options, plan } from "./sample-plan.ts";

function rendered(peers: readonly Options[], pool?: string): string[] {
	const text = renderFrr(plan(peers, pool));
	if (typeof text !== "string") throw new Error(text.error);
	return text.split("\n");
}

test("the article's peer as MetalLB's speaker has it", () => {
	const lines = rendered([article], "192.168.20.0/24");
	expect(lines).toEqual(
		expect.arrayContaining([
			"router bgp 65009",
			" neighbor 192.168.1.1 remote-as 65001",
			" neighbor 192.168.1.1 ebgp-multihop",
			" neighbor 192.168.1.1 timers 5 15",
			" neighbor 192.168.1.1 bfd profile bfdprofile",
			"ip prefix-list 192.168.1.1-allowed-ipv4 seq 1 permit 192.168.20.0/24",
			"ipv6 prefix-list 192.168.1.1-allowed-ipv6 seq 1 deny any",
			"  network 192.168.20.0/24",
			"  receive-interval 380",
			"  transmit-interval 270",
		]),
	);
	expect(lines.join("\n")).not.toContain("disable-connected-check");
});

test("IPv6, direct: the connected check is off, as MetalLB has it", () => {
	const lines = rendered([article6]);
	expect(lines).toContain(" neighbor fd00:1::1 disable-connected-check");
	expect(lines.join("\n")).not.toMatch(/ebgp-multihop|^ +network /m);
	expect(rendered([{ ...article6, remote_as: "65001" }]).join("\n")).not.toContain("disable-connected-check");
});

test("the nodes of a cluster are one speaker; without BFD there is no profile", () => {
	const lines = rendered([
		{ ...article, bfd: "0" },
		{ ...article, name: "node-2", address: "192.168.1.3", bfd: "0" },
	]);
	expect(lines.filter((line) => line.endsWith("remote-as 65001"))).toHaveLength(1);
	expect(lines.join("\n")).not.toContain("bfd");
});

test("peers of several clusters are no single speaker", () => {
	expect(renderFrr(plan([article, { ...article6, remote_as: "65010" }]))).toEqual({
		error: "one speaker has one AS number, but the peers have 65009 and 65010 (option remote_as)",
	});
});

test("option port is where the speaker dials", () => {
	expect(rendered([{ ...article, port: "1790" }])).toContain(" neighbor 192.168.1.1 port 1790");
	expect(rendered([article])).toContain(" neighbor 192.168.1.1 port 179");
});
