import { expect, test } from "vitest";
import { renderMetallb } from "../../src/render/metallb.ts";
import { names, rendering } from "./manifests.ts";
import { article, article6, type Options, tryPlan } from "./sample-plan.ts";

const render = rendering("metallb", renderMetallb);
const rendered = (...given: Parameters<typeof render>) => render(...given).documents;

const six = { ...article6, bfd: "0" };

test("the article's objects", () => {
	expect(rendered([article])).toEqual([
		{
			apiVersion: "metallb.io/v1beta2",
			kind: "BGPPeer",
			metadata: { name: "openwrt", namespace: "metallb-system" },
			spec: {
				myASN: 65009,
				peerASN: 65001,
				peerAddress: "192.168.1.1",
				holdTime: "15s",
				keepaliveTime: "5s",
				connectTime: "10s",
				bfdProfile: "bfdprofile",
				ebgpMultiHop: true,
			},
		},
		{
			apiVersion: "metallb.io/v1beta1",
			kind: "BFDProfile",
			metadata: { name: "bfdprofile", namespace: "metallb-system" },
			spec: { receiveInterval: 380, transmitInterval: 270 },
		},
	]);
});

test("neither BFD nor multihop where the section says so", () => {
	const [peer, ...others] = rendered([six]);
	expect(others).toEqual([]);
	expect(peer?.spec).not.toHaveProperty("bfdProfile");
	expect(peer?.spec).not.toHaveProperty("ebgpMultiHop");
});

test("the nodes of a cluster share one BGPPeer, and different ways to the router have one each", () => {
	const second = { ...article, name: "node-2", address: "192.168.1.3" };
	expect(rendered([article, second]).map(({ metadata }) => metadata.name)).toEqual(["openwrt", "bfdprofile"]);
	const mixed = rendered([article, second, { ...six, name: "Six.2" }], undefined, { router_id: "Home_1" });
	expect(names(mixed)).toEqual(["BGPPeer home-1-waukeen", "BGPPeer home-1-six-2", "BFDProfile bfdprofile"]);
});

test("a pool is announced to the peers of its family", () => {
	const documents = rendered([article, six], "192.168.20.0/24");
	expect(documents.slice(-2).map(({ kind, spec }) => ({ kind, spec }))).toEqual([
		{ kind: "IPAddressPool", spec: { addresses: ["192.168.20.0/24"] } },
		{ kind: "BGPAdvertisement", spec: { ipAddressPools: ["bgp-pool"], peers: ["openwrt-waukeen"] } },
	]);
	expect(rendered([six], "2001:db8::/64").at(1)?.spec).toEqual({ addresses: ["2001:db8::/64"] });
});

test("names that YAML would take for something else stay texts", () => {
	for (const router_id of ["1e3", "0x10", "on", "null", "12", "1-2-3"])
		expect(rendered([article], undefined, { router_id })[0]?.metadata.name).toBe(router_id);
});

test("option port is the peerPort, and peers on two ports are two objects", () => {
	expect(rendered([{ ...article, port: "1790" }])[0]?.spec).toMatchObject({ peerPort: 1790 });
	expect(rendered([{ ...article, port: "179" }])[0]?.spec).not.toHaveProperty("peerPort");
	const odd = { ...article, name: "drizzt", local_address: "192.168.1.9", port: "1790" };
	const peers = rendered([article, odd]).filter(({ kind }) => kind === "BGPPeer");
	expect(peers.map(({ spec }) => spec.peerPort)).toEqual([undefined, 1790]);
	expect(new Set(peers.map(({ metadata }) => metadata.name)).size).toBe(2);
});

test("timers, graceful restart and the node's own address", () => {
	const { documents, text } = render([
		{
			...{ ...article, hold_time: "90", keepalive_time: "20", connect_time: "5" },
			...{ graceful_restart: "1", source_address: "192.168.1.2" },
		},
	]);
	expect(documents[0]?.spec).toMatchObject({
		...{ holdTime: "90s", keepaliveTime: "20s", connectTime: "5s" },
		...{ enableGracefulRestart: true, sourceAddress: "192.168.1.2" },
	});
	expect(text).toContain("# sourceAddress: FRR mode only.");
	expect(text).toContain("# enableGracefulRestart cannot be changed later");
});

test("nodes by name share a BGPPeer where they dial in the same way, and have one each where not", () => {
	const nodes = ["node-1", "node-2", "node-3"].map((node, index) => ({
		...{ ...article, name: node, node, address: `192.168.1.${2 + index}` },
	}));
	const together = rendered(nodes);
	expect(names(together)).toEqual(["BGPPeer openwrt", "BFDProfile bfdprofile"]);
	expect(together[0]?.spec.nodeSelectors).toEqual([
		{
			matchExpressions: [
				{ key: "kubernetes.io/hostname", operator: "In", values: ["node-1", "node-2", "node-3"] },
			],
		},
	]);
	const apart = rendered(nodes.map((node, index) => ({ ...node, password: `secret-${index}` })));
	expect(apart.filter(({ kind }) => kind === "BGPPeer").map(({ spec }) => spec.nodeSelectors)).toEqual(
		["node-1", "node-2", "node-3"].map((node) => [{ matchLabels: { "kubernetes.io/hostname": node } }]),
	);
	// One of them without a name: it may be any node.
	expect(rendered([...nodes, { ...article, name: "x" }])[0]?.spec).not.toHaveProperty("nodeSelectors");
});

test("a node has one session with an address of the router", () => {
	const other = { ...article, name: "node-2", address: "192.168.1.3", connect_time: "5" };
	const message = (peers: readonly Options[]) => {
		const made = tryPlan(peers, "metallb");
		return "errors" in made ? made.errors : [];
	};
	expect(message([article, other])).toEqual([
		"/etc/config/bgpwarden: peers 'waukeen' and 'node-2' want different sessions with 192.168.1.1, and a node can have one of them: option node says which node has which",
	]);
	expect(message([{ ...article, node: "a" }, other])).toHaveLength(1);
	expect(
		message([
			{ ...article, node: "a" },
			{ ...other, node: "a" },
		]),
	).toHaveLength(1);
	expect(
		message([
			{ ...article, node: "a" },
			{ ...other, node: "b" },
		]),
	).toEqual([]);
	expect(message([article, { ...other, remote_as: "65010" }])).toEqual([]);
	expect(tryPlan([article, other], "bird")).not.toHaveProperty("errors");
});

test("a range is every node", () => {
	const range = { ...article, name: "cluster", address: undefined, range: "192.168.1.0/24" };
	expect(rendered([range])[0]?.spec).toEqual(rendered([article])[0]?.spec);
});

test("without addresses: the node's interface", () => {
	const bare = {
		...{ name: "node", local_as: "65001", remote_as: "65009" },
		...{ interface: "br-lan", node_interface: "eth0" },
	};
	const [peer] = rendered([bare]);
	expect(peer?.spec).toMatchObject({ myASN: 65009, peerASN: 65001, interface: "eth0" });
	expect(peer?.spec).not.toHaveProperty("peerAddress");
	expect(peer?.spec).not.toHaveProperty("dualStackAddressFamily");
});

test("dual stack, with a pool of both families", () => {
	const documents = rendered([{ ...article, dual_stack: "1" }], ["192.168.20.0/24", "fd00:20::/64"]);
	expect(documents[0]?.spec).toMatchObject({ dualStackAddressFamily: true });
	expect(documents.at(-2)?.spec).toEqual({ addresses: ["192.168.20.0/24", "fd00:20::/64"] });
	expect(documents.at(-1)?.spec).toMatchObject({ peers: ["openwrt"] });
});

test("a password stands in a Secret beside it, which is a comment as long as it is masked", () => {
	const secret = { ...article, password: "correct-horse" };
	const shown = render([secret], undefined, undefined, true);
	expect(shown.documents[0]).toEqual({
		apiVersion: "v1",
		kind: "Secret",
		metadata: { name: "openwrt-bgp", namespace: "metallb-system" },
		type: "kubernetes.io/basic-auth",
		stringData: { password: "correct-horse" },
	});
	const reference = { passwordSecret: { name: "openwrt-bgp", namespace: "metallb-system" } };
	expect(shown.documents[1]?.spec).toMatchObject(reference);
	const masked = render([secret]);
	expect(masked.text).not.toContain("horse");
	expect(masked.text).toContain("# kind: Secret\n");
	expect(names(masked.documents)).toEqual(["BGPPeer openwrt", "BFDProfile bfdprofile"]);
	expect(masked.documents[0]?.spec).toMatchObject(reference);
});

test.each(["12", "on", "1e3", "~", "#x", "a:b", "{x}", "*x", "-", "!x", "%x", "null"])(
	"YAML keeps the password %s",
	(password) => {
		const [secret] = rendered([{ ...article, password }], undefined, undefined, true);
		expect(secret).toMatchObject({ stringData: { password } });
	},
);

test("native mode gets what it takes", () => {
	const native = { ...article, speaker: "metallb-native", password: "x" };
	const { documents, text } = render([native], "192.168.20.0/24");
	expect(names(documents)).toEqual([
		"BGPPeer openwrt",
		"IPAddressPool bgp-pool",
		"BGPAdvertisement bgp-pool",
	]);
	expect(documents[0]?.spec).toEqual({
		myASN: 65009,
		peerASN: 65001,
		peerAddress: "192.168.1.1",
		holdTime: "15s",
		passwordSecret: { name: "openwrt-bgp", namespace: "metallb-system" },
	});
	expect(text).toContain("native mode");
	const refused = (options: Options, pool?: string) => tryPlan([{ ...native, ...options }], "metallb", pool);
	const noIpv6 = "MetalLB's native mode has no IPv6, neither with option dual_stack nor without addresses";
	expect(refused({ dual_stack: "1" })).toEqual({ errors: [expect.stringContaining(noIpv6)] });
	expect(refused({ graceful_restart: "1" })).toEqual({
		errors: [expect.stringContaining("has no graceful restart")],
	});
	expect(refused({}, "fd00::/64")).toEqual({ errors: [expect.stringContaining(noIpv6)] });
});

test("peers with another speaker are left out, with a word", () => {
	const cilium = { ...article, name: "c", speaker: "cilium" };
	const line =
		"peer 'c': option speaker is cilium, so 'render metallb' leaves it out; 'bgpwarden render cilium' is for it";
	expect(tryPlan([cilium], "metallb")).toEqual({ errors: [`/etc/config/bgpwarden:10: ${line}`] });
	const { documents, text } = render([cilium, article]);
	expect(text).toContain(`# /etc/config/bgpwarden:10: ${line}\n`);
	expect(names(documents)).toEqual(["BGPPeer openwrt", "BFDProfile bfdprofile"]);
	expect(tryPlan([{ ...article, speaker: "calico" }], "metallb")).toEqual({
		errors: [expect.stringMatching(/calico, so 'render metallb' leaves it out; nothing is rendered for it$/)],
	});
	for (const speaker of ["auto", "frr-k8s", "metallb-frr"])
		expect(rendered([{ ...article, speaker }])).toEqual(rendered([article]));
});
