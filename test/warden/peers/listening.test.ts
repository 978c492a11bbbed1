import { describe, expect, test } from "vitest";
import type { Inspection } from "../../../src/model/inspection.ts";
import { parseBirdConfiguration } from "../../../src/system/bird/conf/parse-conf.ts";
import { peer, reading, Story } from "../story.ts";

const down = peer({
	neighborAddress: "192.168.1.2",
	protocolState: "down",
	state: "Down",
	lastError: "Error: No listening socket",
	bfd: "none",
});

/** BIRD could not listen for the peer; `local` has this in bird.conf. */
function story(options: string): Story {
	const text = `protocol bgp waukeen { local 192.168.1.1 port 1790 as 65001; neighbor 192.168.1.2 as 65009; ${options} ipv4 {}; }`;
	const told = Story.kept();
	told.happens({
		type: "bird_configured",
		configuration: parseBirdConfiguration({ path: "bird.conf", text }),
	});
	told.happens({ type: "bird_up" });
	return told;
}

/** What is asked of the kernel, and then what BIRD is told to do. */
function answered(told: Story, inspection: Inspection) {
	const asked = [...told.happens(reading(down)), ...told.passes(4000), ...told.happens(reading(down))];
	const asking = asked.findLast((action) => action.type === "inspect_peer");
	told.passes(100);
	const done = [
		...told.happens({ type: "peer_inspected", address: "192.168.1.2", inspection }),
		...told.happens(reading(down)),
	];
	const enabled = [...asked, ...done].some((each) => each.type === "restart_peer" && each.verb === "enable");
	return { asking, enabled };
}

describe("BIRD could not listen for a peer", () => {
	test("on all addresses, whatever `local` says: anybody on its port may have it, and a missing address has not", () => {
		const told = story("");
		const { asking, enabled } = answered(told, { hasLocalAddress: false, listener: "none" });
		expect(asking).toMatchObject({ listen: { port: 1790 } });
		expect(asking).not.toHaveProperty("listen.address");
		expect(enabled).toBe(true);
	});

	test("on one address, with `strict bind`: that may be missing", () => {
		const told = story("strict bind on;");
		const { asking, enabled } = answered(told, { hasLocalAddress: false, listener: "none" });
		expect(asking).toMatchObject({ listen: { port: 1790, address: "192.168.1.1" } });
		expect(enabled).toBe(false);
		expect(told.status.peers[0]?.explanation).toContain(
			"no interface of this router has the address 192.168.1.1",
		);
	});

	test("because another program has the port: it is named, also where the address is missing", () => {
		const told = story("");
		const listener = { program: "gobgpd", pid: 900 };
		expect(answered(told, { hasLocalAddress: false, listener }).enabled).toBe(false);
		expect(told.status.peers[0]?.explanation).toContain("gobgpd (pid 900) has port 1790");
	});
});
