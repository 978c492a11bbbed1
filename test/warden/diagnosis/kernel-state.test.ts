import { describe, expect, test } from "vitest";
import type { Flow } from "../../../src/model/flow.ts";
import type { Inspection } from "../../../src/model/inspection.ts";
import { reading, settings, types } from "../story.ts";
import { established, PEER, passive, ROUTER, read, told } from "./bench.ts";

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
