import { expect, test } from "vitest";
import { renderCilium } from "../../src/render/cilium.ts";
import { names, rendering } from "./manifests.ts";
import { article, article6, type Options, tryPlan } from "./sample-plan.ts";

const render = rendering("cilium", renderCilium);
const rendered = (...given: Parameters<typeof render>) => render(...given).documents;

test("the article's peer", () => {
	const documents = rendered([{ ...article, speaker: "cilium" }]);
	expect(documents).toEqual([
		{
			apiVersion: "cilium.io/v2",
			kind: "CiliumBGPClusterConfig",
			metadata: { name: "openwrt" },
			spec: {
				bgpInstances: [
					{
						name: "as65009",
						localASN: 65009,
						peers: [
							{
								name: "openwrt",
								peerASN: 65001,
								peerAddress: "192.168.1.1",
								peerConfigRef: { name: "openwrt" },
							},
						],
					},
				],
			},
		},
		{
			apiVersion: "cilium.io/v2",
			kind: "CiliumBGPPeerConfig",
			metadata: { name: "openwrt" },
			spec: {
				timers: { connectRetryTimeSeconds: 10, holdTimeSeconds: 15, keepAliveTimeSeconds: 5 },
				ebgpMultihop: 2,
				families: [{ afi: "ipv4", safi: "unicast", advertisements: { matchLabels: { advertise: "bgp" } } }],
			},
		},
		{
			apiVersion: "cilium.io/v2",
			kind: "CiliumBGPAdvertisement",
			metadata: { name: "openwrt", labels: { advertise: "bgp" } },
			spec: {
				advertisements: [
					{
						advertisementType: "Service",
						service: { addresses: ["LoadBalancerIP"] },
						selector: { matchExpressions: [{ key: "bgp", operator: "NotIn", values: ["off"] }] },
					},
				],
			},
		},
	]);
});

test("everything that a section can say", () => {
	const { documents } = render(
		[
			{
				...{ ...article, port: "17900", password: "correct-horse", node: "node-1", connect_time: "3" },
				...{ graceful_restart: "1", source_address: "192.168.1.2" },
			},
		],
		"192.168.20.0/24",
		{ router_id: "Home" },
		true,
	);
	expect(names(documents)).toEqual([
		"CiliumBGPClusterConfig home",
		"Secret home-bgp",
		"CiliumBGPPeerConfig home",
		"CiliumBGPNodeConfigOverride node-1",
		"CiliumBGPAdvertisement home",
		"CiliumLoadBalancerIPPool home",
	]);
	const [cluster, secret, peer, override, , pool] = documents;
	expect(cluster?.spec).toMatchObject({
		nodeSelector: { matchLabels: { "kubernetes.io/hostname": "node-1" } },
	});
	expect(secret).toMatchObject({
		metadata: { namespace: "kube-system" },
		stringData: { password: "correct-horse" },
	});
	expect(peer?.spec).toMatchObject({
		transport: { peerPort: 17900 },
		timers: { connectRetryTimeSeconds: 3 },
		authSecretRef: "home-bgp",
		gracefulRestart: { enabled: true, restartTimeSeconds: 120 },
		families: [{ afi: "ipv4" }],
	});
	expect(override?.spec).toEqual({
		bgpInstances: [{ name: "as65009", peers: [{ name: "home", localAddress: "192.168.1.2" }] }],
	});
	expect(pool?.spec).toEqual({ blocks: [{ cidr: "192.168.20.0/24" }] });
});

test("what is for the same nodes stands in one CiliumBGPClusterConfig, since a node obeys one", () => {
	const documents = rendered([article, article6]);
	expect(names(documents).slice(0, 3)).toEqual([
		"CiliumBGPClusterConfig openwrt-waukeen",
		"CiliumBGPPeerConfig openwrt-waukeen",
		"CiliumBGPPeerConfig openwrt-six",
	]);
	expect(documents[0]?.spec).toMatchObject({
		bgpInstances: [{ peers: [{ peerAddress: "192.168.1.1" }, { peerAddress: "fd00:1::1" }] }],
	});
	const byNode = rendered([
		{ ...article, node: "a", password: "x" },
		{ ...article, name: "two", address: "192.168.1.3", node: "b", password: "y" },
	]);
	expect(names(byNode).filter((name) => name.startsWith("CiliumBGPClusterConfig"))).toHaveLength(2);
});

test("dual stack takes an IPv6 session", () => {
	const sentence = "option dual_stack needs an IPv6 session here";
	const dual = { ...article, dual_stack: "1" };
	expect(tryPlan([dual], "cilium")).toEqual({ errors: [expect.stringContaining(sentence)] });
	expect(tryPlan([{ ...dual, speaker: "gobgp" }], "bird")).toEqual({
		errors: [expect.stringContaining(sentence)],
	});
	expect(tryPlan([dual], "bird")).not.toHaveProperty("errors");
	const peers = rendered([{ ...article6, dual_stack: "1" }]).filter(
		({ kind }) => kind === "CiliumBGPPeerConfig",
	);
	expect(peers[0]?.spec).toMatchObject({ families: [{ afi: "ipv4" }, { afi: "ipv6" }] });
});

test("what Cilium cannot do is one line", () => {
	const refused = (options: Options) => tryPlan([{ ...article, ...options }], "cilium");
	expect(refused({ source_address: "192.168.1.2" })).toEqual({
		errors: [expect.stringContaining("Cilium takes a source_address for one node: option node is needed")],
	});
	const bare = { multihop: "0", address: undefined, local_address: undefined, node_interface: "eth0" };
	expect(refused(bare)).toEqual({
		errors: [expect.stringContaining("option node_interface is for FRR: render cilium needs addresses")],
	});
	expect(refused({ speaker: "frr-k8s" })).toEqual({
		errors: [expect.stringContaining("'bgpwarden render metallb' is for it")],
	});
	expect(refused({ port: "65535" })).not.toHaveProperty("errors");
});
