import { describe, expect, test } from "vitest";
import type { Flow } from "../../../src/model/flow.ts";
import type { Inspection } from "../../../src/model/inspection.ts";
import { peer, reading, settings, types } from "../story.ts";
import { at, established, PEER, packet, passive, ROUTER, read, seen, told, trace } from "./bench.ts";

test("two peers of one link-local address, on two links, are told apart", () => {
	const far = (name: string, link: string) =>
		peer({
			...{
				name,
				neighborAddress: "fe80::1",
				neighborInterface: link,
				state: "Passive",
				protocolState: "start",
			},
			...{ bfd: "none" },
		} as const);
	const [one, two] = [far("a", "wg1"), far("b", "wg2")];
	const story = read(one, two);
	const asked = new Set<string>();
	for (let second = 0; second < 40; second++)
		for (const action of [...story.passes(1000), ...story.happens(reading(one, two))]) {
			if (action.type !== "inspect_peer") continue;
			const { address, zone = "?" } = action;
			asked.add(`${address}%${zone}`);
			const network = { prefix: "fe80::/64", interface: zone };
			story.happens({
				type: "peer_inspected",
				address,
				zone,
				inspection: { route: { interface: zone }, network },
			});
		}
	expect([...asked].sort()).toEqual(["fe80::1%wg1", "fe80::1%wg2"]);
	expect(story.status.peers.map(({ diagnosis }) => diagnosis)).toEqual(["waiting", "waiting"]);
	const syn = { ...packet(["syn"], true), source: "fe80::1", destination: "fe80::2", iif: "wg2" };
	seen(story, trace(story, syn, at("x", "pre", "redirect to :7892", "accept")));
	expect(story.status.peers.map(({ diagnosis }) => diagnosis)).toEqual(["waiting", "hijacked"]);
});

describe("the kernel", () => {
	test.each<{ inspection: Inspection; id: string | undefined }>([
		{ inspection: { noRoute: "Network is unreachable" }, id: "peer-unreachable" },
		{
			inspection: { route: { interface: "br-lan" }, neighbor: { interface: "br-lan", state: "FAILED" } },
			id: "peer-unreachable",
		},
		{
			inspection: {
				route: { interface: "tailscale0", table: "52" },
				network: { prefix: "192.168.1.0/24", interface: "br-lan" },
			},
			id: "route-kind",
		},
		{
			inspection: {
				route: { interface: "br-lan", gateway: "192.168.1.3" },
				network: { prefix: "192.168.1.0/24", interface: "br-lan" },
			},
			id: "route-kind",
		},
		// It lives there, or nobody knows where it lives: a name says nothing.
		{
			inspection: {
				route: { interface: "wg0" },
				network: { prefix: "10.9.0.0/24", interface: "wg0" },
			},
			id: undefined,
		},
		{ inspection: { route: { interface: "wg0" }, network: "none" }, id: undefined },
		{
			inspection: { route: { interface: "br-lan" }, neighbor: { interface: "br-lan", state: "REACHABLE" } },
			id: undefined,
		},
		{ inspection: {}, id: undefined },
	])("$inspection is $id", ({ inspection, id }) => {
		const story = read(passive);
		story.happens({ type: "peer_inspected", address: PEER, inspection });
		expect(told(story)?.diagnosis).toBe(id);
	});

	test("a device is strange when the peer was behind another one before, whatever its name", () => {
		const story = read(established);
		story.happens({ type: "peer_inspected", address: PEER, inspection: { route: { interface: "wg0" } } });
		story.happens(reading(passive));
		story.happens({ type: "peer_inspected", address: PEER, inspection: { route: { interface: "wg0" } } });
		expect(told(story)?.diagnosis).toBeUndefined();
		story.happens({ type: "peer_inspected", address: PEER, inspection: { route: { interface: "eth3" } } });
		expect(told(story)).toMatchObject({
			diagnosis: "route-kind",
			explanation: expect.stringContaining("eth3, not wg0"),
		});
	});

	test("the way of the latest session is the usual one", () => {
		const story = read(established);
		const way = (device: string) =>
			story.happens({ type: "peer_inspected", address: PEER, inspection: { route: { interface: device } } });
		way("wg0");
		story.happens(reading(passive));
		story.passes(5000);
		expect(types(story.happens(reading(established)))).toContain("inspect_peer");
		way("br-lan");
		story.happens(reading(passive));
		way("br-lan");
		expect(told(story)?.diagnosis).toBeUndefined();
	});

	test("a section's interface counts before all", () => {
		const story = read(passive);
		story.happens({
			type: "configured",
			settings: { ...settings, interfaces: new Map([["waukeen", "tun7"]]) },
		});
		story.happens({ type: "peer_inspected", address: PEER, inspection: { route: { interface: "tun7" } } });
		expect(told(story)?.diagnosis).toBeUndefined();
	});

	const flow: Flow = {
		family: "ipv4",
		protocol: "tcp",
		state: "SYN_SENT",
		unreplied: true,
		assured: false,
		original: { source: PEER, destination: ROUTER, sourcePort: 40000, destinationPort: 179 },
		reply: { source: ROUTER, destination: PEER, sourcePort: 179, destinationPort: 40000 },
	};

	test("conntrack's hand in it counts when it is there twice", () => {
		const story = read(passive);
		const look = { type: "peer_inspected", address: PEER, inspection: { flows: [flow] } } as const;
		story.happens(look);
		expect(told(story)?.diagnosis).toBeUndefined();
		story.passes(2000);
		story.happens(look);
		expect(told(story)).toMatchObject({ diagnosis: "tracked" });
		expect(told(story)?.evidence?.[0]).toContain("[UNREPLIED]");
	});

	test("NAT to another port is a hijack", () => {
		const story = read(passive);
		const flows = [{ ...flow, reply: { ...flow.reply, sourcePort: 7892 } }];
		for (let round = 0; round < 2; round++)
			story.happens({ type: "peer_inspected", address: PEER, inspection: { flows } });
		expect(told(story)).toMatchObject({
			diagnosis: "hijacked",
			explanation: expect.stringContaining("port 7892"),
		});
	});
});
