import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { renderFrr } from "../../src/render/frr-conf.ts";
import { article, article6, type Options, plan } from "./sample-plan.ts";

function rendered(
	peers: readonly Options[],
	pools?: string | readonly string[],
	secrets = false,
): readonly string[] {
	const text = renderFrr(plan(peers, pools, {}, "frr", secrets));
	if (typeof text !== "string") throw new Error(text.error);
	return text.split("\n");
}

const router = {
	...{ name: "r", address: "192.168.1.9", local_address: "192.168.1.2", bfd: "0" },
	...{ local_as: "65001", remote_as: "65000" },
};
const router6 = { ...router, name: "six", address: "2001:db8::9", local_address: "2001:db8::1" };

/** What ours always says, and the tests behind the golden files leave out of their input. */
const ALWAYS = /^!|^$|^ {2}neighbor \S+ (port|timers) /;

/** Lines of ours, for FRR-K8s's host name. */
function ours(lines: readonly string[]): string[] {
	return lines
		.filter((line) => !ALWAYS.test(line))
		.map((line) => line.replace(/^hostname .*/, "hostname dummyhostname"));
}

/** Lines of FRR-K8s's; empty ones come from its templates. */
function golden(name: string): string[] {
	const text = readFileSync(new URL(`../fixtures/frr-k8s/${name}.golden`, import.meta.url), "utf8");
	return text.split("\n").flatMap((line) => (line.trim() === "" ? [] : [line.trimEnd()]));
}

describe("what FRR-K8s's own tests expect of it for the same input, line by line", () => {
	test("multihop, with two prefixes", () => {
		// More than `--pool` takes, in FRR-K8s's order.
		const { pools: _, ...rest } = plan([{ ...router, multihop: "1" }], undefined, {}, "frr");
		const pools = ["192.169.1.0/24", "192.170.1.0/22"].map(
			(text) => ({ family: 4, text, length: 24 }) as const,
		);
		const text = renderFrr({ ...rest, pools });
		expect(ours(String(text).split("\n"))).toEqual(golden("TestSingleSessionWithEBGPMultihop"));
	});

	test("graceful restart", () => {
		expect(ours(rendered([{ ...router, graceful_restart: "1" }]))).toEqual(
			golden("TestSingleSessionWithGracefulRestart"),
		);
	});

	test("IPv6, single hop", () => {
		expect(ours(rendered([router6], "2001:db8:abcd::/48"))).toEqual(
			golden("TestSingleSessionWithIPv6SingleHop"),
		);
	});

	test("BFD; its profile has other values", () => {
		const profile = /^bfd$|^ {2}profile|^ {4}(receive|transmit|detect|echo|passive|minimum)|bfd profile/;
		const without = (lines: readonly string[]) => lines.filter((line) => !profile.test(line));
		const lines = ours(rendered([{ ...router, bfd: "1" }]));
		expect(without(lines)).toEqual(without(golden("TestSingleSessionBFD")));
		expect(lines.slice(-4)).toEqual([
			"bfd",
			"  profile bfdprofile",
			"    receive-interval 380",
			"    transmit-interval 270",
		]);
		expect(lines).toContain("  neighbor 192.168.1.2 bfd profile bfdprofile");
	});

	test("two routers with both families each; there the prefixes are one neighbor's each", () => {
		const lines = ours(
			rendered(
				[
					{ ...router, dual_stack: "1" },
					{ ...router6, local_as: "65002", dual_stack: "1", multihop: "1" },
				],
				["192.169.1.0/24", "2001:db8:abcd::/48"],
			),
		);
		const expected = golden("TestMultipleNeighborsOneV4AndOneV6DualStackIPFamily");
		const told = (line: string) =>
			line.replace("deny any", "permit …").replace(/permit \S+\/\d+$/, "permit …");
		expect(lines.map(told)).toEqual(expected.map(told));
	});

	test("without addresses; there for IPv4 alone, which FRR-K8s's API does not make, and with any other AS", () => {
		const bare = {
			...{ name: "r", local_as: "65001", remote_as: "65000", bfd: "0" },
			...{ interface: "br-lan", node_interface: "net0" },
		};
		const lines = ours(rendered([bare], "192.169.1.0/24"));
		const ipv6 = lines.indexOf("  address-family ipv6 unicast");
		const family = lines.splice(ipv6, 5);
		expect(family).toEqual([
			"  address-family ipv6 unicast",
			"    neighbor net0 activate",
			"    neighbor net0 route-map net0-in in",
			"    neighbor net0 route-map net0-out out",
			"  exit-address-family",
		]);
		const said = lines.map((line) =>
			line.replace("-inpl-dual", "-inpl-ipv4").replace("as 65001", "as external"),
		);
		expect(said).toEqual(
			golden("TestSingleUnnumberedSession").filter(
				(line) => !line.includes("192.170.1.0/22") && !line.includes(" port "),
			),
		);
	});
});

test("the article's peer: timers, and all else in the templates' order", () => {
	const peer = {
		...article,
		password: "correct-horse",
		source_address: "192.168.1.2",
		graceful_restart: "1",
	};
	const lines = rendered([{ ...peer, connect_time: "7" }], undefined, true);
	expect(lines.filter((line) => line.startsWith("  neighbor "))).toEqual(
		[
			"remote-as 65001",
			"ebgp-multihop",
			"port 179",
			"timers 5 15",
			"timers connect 7",
			"password correct-horse",
			"update-source 192.168.1.2",
			"graceful-restart",
			"bfd",
			"bfd profile bfdprofile",
		].map((words) => `  neighbor 192.168.1.1 ${words}`),
	);
});

test("a password that is not asked for is a comment", () => {
	const text = rendered([{ ...article, password: "correct-horse" }]).join("\n");
	expect(text).not.toContain("horse");
	expect(text).toContain("\n!  neighbor 192.168.1.1 password ********\n");
});

test("the connected check of IPv6 is off, as FRR-K8s has it: one family, external, direct", () => {
	const check = "  neighbor fd00:1::1 disable-connected-check";
	expect(rendered([article6])).toContain(check);
	expect(rendered([{ ...article6, remote_as: "65001" }])).not.toContain(check);
	expect(rendered([{ ...article6, multihop: "1" }])).not.toContain(check);
	expect(rendered([{ ...article6, dual_stack: "1" }])).not.toContain(check);
	expect(rendered([article])).not.toContain("  neighbor 192.168.1.1 disable-connected-check");
});

test("the nodes of a cluster are one speaker; without BFD there is no profile", () => {
	const lines = rendered([
		{ ...article, bfd: "0" },
		{ ...article, name: "node-2", address: "192.168.1.3", bfd: "0" },
	]);
	expect(lines.filter((line) => line.endsWith("remote-as 65001"))).toHaveLength(1);
	expect(lines.join("\n")).not.toContain("bfd");
});

test("what is no single speaker", () => {
	expect(renderFrr(plan([article, { ...article6, remote_as: "65010" }]))).toEqual({
		error: "one speaker has one AS number, but the peers have 65009 and 65010 (option remote_as)",
	});
	const two = [
		{ ...article, node: "a" },
		{ ...article, name: "two", address: "192.168.1.3", node: "b", password: "x" },
	];
	expect(renderFrr(plan(two))).toEqual({
		error: "this is one speaker's file, but the nodes (option node) dial the router differently",
	});
});

test("option port is where the speaker dials, option node what it is called", () => {
	const lines = rendered([{ ...article, port: "1790", node: "node-1" }]);
	expect(lines).toContain("  neighbor 192.168.1.1 port 1790");
	expect(lines).toContain("hostname node-1");
	expect(rendered([article])).toContain("hostname speaker");
});
