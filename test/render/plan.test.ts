import { expect, test } from "vitest";
import { kubernetesName } from "../../src/render/plan.ts";
import { article, article6, tryPlan } from "./sample-plan.ts";

const at = "/etc/config/bgpwarden";

test("without peers says how to add one", () => {
	expect(tryPlan([])).toEqual({
		errors: [
			`${at}: no 'config peer' section to render from; add one with name, address, local_address, local_as and remote_as`,
		],
	});
});

test.each(["address", "local_address", "local_as", "remote_as"])(
	"names a missing %s with the line of its peer",
	(option) => {
		expect(tryPlan([article6, { ...article, [option]: undefined }])).toEqual({
			errors: [`${at}:12: peer 'waukeen': option ${option} is needed to render`],
		});
	},
);

test("names everything that is missing, one a line", () => {
	expect(tryPlan([{ name: "a" }, { ...article, remote_as: undefined }])).toEqual({
		errors: [
			`${at}:10: peer 'a': option address is needed to render`,
			`${at}:10: peer 'a': option local_address is needed to render`,
			`${at}:10: peer 'a': option local_as is needed to render`,
			`${at}:10: peer 'a': option remote_as is needed to render`,
			`${at}:12: peer 'waukeen': option remote_as is needed to render`,
		],
	});
});

test("multihop is off and BFD on where the section does not say", () => {
	expect(tryPlan([{ ...article, multihop: undefined }])).toMatchObject({
		sessions: [{ multihop: false, bfd: true }],
	});
});

test("refuses what MetalLB refuses", () => {
	expect(tryPlan([{ ...article, remote_as: "65001" }])).toEqual({
		errors: [
			`${at}:10: peer 'waukeen': option multihop is for external BGP: MetalLB refuses it when local_as is remote_as`,
		],
	});
	const near = { ...article6, address: "fe80::2", local_address: "fe80::1" };
	expect(tryPlan([near], "bird")).toMatchObject({ sessions: [{ linkLocal: true, interface: "br-lan" }] });
	expect(tryPlan([near], "metallb")).toEqual({
		errors: [
			`${at}:10: peer 'six': MetalLB cannot dial a link-local address; use another one, or option node_interface`,
		],
	});
	expect(tryPlan([{ ...near, interface: undefined, multihop: "1" }])).toEqual({
		errors: [
			`${at}:10: peer 'six': option multihop does not work with a link-local address`,
			`${at}:10: peer 'six': option interface is needed to render, because the address is link-local`,
		],
	});
});

test("a pool needs a peer of its family", () => {
	expect(tryPlan([article], "bird", "10.0.0.0/24")).toMatchObject({ pools: [{ text: "10.0.0.0/24" }] });
	expect(tryPlan([article], "bird", "fd00::/64")).toEqual({
		errors: [`${at}: --pool fd00::/64: no peer has an IPv6 address, so nothing would announce it`],
	});
});

test.each([
	["openwrt", "openwrt"],
	["Router_1.lan", "router-1-lan"],
	["-x-", "x"],
	["a".repeat(70), "a".repeat(50)],
	["___", undefined],
	["", undefined],
])("Kubernetes calls '%s' %s", (text, name) => {
	expect(kubernetesName(text)).toBe(name);
});

test("MetalLB takes no port above 16384, and BIRD does", () => {
	const high = { ...article, port: "17900" };
	const errors = [`${at}:10: peer 'waukeen': MetalLB takes no option port above 16384`];
	expect(tryPlan([high], "metallb")).toEqual({ errors });
	expect(tryPlan([high], "frr")).toEqual({ errors });
	expect(tryPlan([high], "bird")).toMatchObject({ sessions: [{ port: 17900 }] });
	expect(tryPlan([{ ...article, port: "16384" }], "metallb")).toMatchObject({ sessions: [{ port: 16384 }] });
});

test("a range needs no address, and a session without addresses none at all", () => {
	const range = { ...article, address: undefined, range: "fd00:1::/64", local_address: "fd00:1::1" };
	expect(tryPlan([range])).toMatchObject({ sessions: [{ family: 6, range: "fd00:1::/64", families: [6] }] });
	expect(tryPlan([{ ...range, local_address: undefined }])).toMatchObject({
		errors: [`${at}:10: peer 'waukeen': option local_address is needed to render`],
	});
	const bare = { name: "a", local_as: "1", remote_as: "2", node_interface: "eth0", interface: "br-lan" };
	expect(tryPlan([bare])).toMatchObject({
		sessions: [{ family: 6, range: "fe80::/10", families: [4, 6], linkLocal: true, multihop: false }],
	});
	expect(tryPlan([{ ...bare, multihop: "1" }])).toEqual({
		errors: [`${at}:10: peer 'a': option multihop does not work with a link-local address`],
	});
});

test("timers have defaults, the keepalive time by the hold time", () => {
	const { name: _, ...peer } = article;
	expect(tryPlan([{ ...peer, name: "a", hold_time: "3" }])).toMatchObject({
		sessions: [{ holdTime: 3, keepaliveTime: 1, connectTime: 10, gracefulRestart: false }],
	});
});

test("the speaker's own address is the one that BIRD waits for", () => {
	expect(tryPlan([{ ...article, source_address: "192.168.1.2" }])).not.toHaveProperty("errors");
	expect(tryPlan([{ ...article, source_address: "192.168.1.12" }])).toEqual({
		errors: [
			`${at}:10: peer 'waukeen': option source_address is 192.168.1.12, and BIRD waits for 192.168.1.2, the option address: they have to be the same`,
		],
	});
});

test("each pool needs a peer that carries its family", () => {
	const pools = ["10.0.0.0/24", "fd00::/64"];
	expect(tryPlan([article], "metallb", pools)).toEqual({
		errors: [`${at}: --pool fd00::/64: no peer has an IPv6 address, so nothing would announce it`],
	});
	expect(tryPlan([{ ...article, dual_stack: "1" }], "metallb", pools)).not.toHaveProperty("errors");
	expect(tryPlan([article, article6], "metallb", pools)).not.toHaveProperty("errors");
});
