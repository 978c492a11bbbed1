import { expect, test } from "vitest";
import { renderFrrK8s } from "../../src/render/frr-k8s.ts";
import { names, rendering } from "./manifests.ts";
import { article, article6, plan, tryPlan } from "./sample-plan.ts";

const render = rendering("frr-k8s", renderFrrK8s);
const rendered = (...given: Parameters<typeof render>) => render(...given).documents;

test("the article's peer", () => {
	expect(rendered([article], "192.168.20.0/24")).toEqual([
		{
			apiVersion: "frrk8s.metallb.io/v1beta1",
			kind: "FRRConfiguration",
			metadata: { name: "openwrt", namespace: "metallb-system" },
			spec: {
				bgp: {
					routers: [
						{
							asn: 65009,
							neighbors: [
								{
									asn: 65001,
									address: "192.168.1.1",
									holdTime: "15s",
									keepaliveTime: "5s",
									connectTime: "10s",
									bfdProfile: "bfdprofile",
									ebgpMultiHop: true,
									toAdvertise: { allowed: { mode: "filtered", prefixes: ["192.168.20.0/24"] } },
								},
							],
							prefixes: ["192.168.20.0/24"],
						},
					],
					bfdProfiles: [{ name: "bfdprofile", receiveInterval: 380, transmitInterval: 270 }],
				},
			},
		},
	]);
});

test("everything that a section can say", () => {
	const { documents, text } = render(
		[
			{
				...{ ...article, bfd: "0", port: "1790", password: "correct-horse", node: "node-1" },
				...{ graceful_restart: "1", dual_stack: "1", source_address: "192.168.1.2" },
			},
		],
		[],
		{ router_id: "Home" },
		true,
	);
	expect(names(documents)).toEqual(["Secret home-bgp", "FRRConfiguration home"]);
	expect(documents[1]?.spec).toMatchObject({
		nodeSelector: { matchLabels: { "kubernetes.io/hostname": "node-1" } },
		bgp: {
			routers: [
				{
					neighbors: [
						{
							...{ port: 1790, sourceaddress: "192.168.1.2", enableGracefulRestart: true },
							...{ dualStackAddressFamily: true, passwordSecret: { name: "home-bgp" } },
						},
					],
				},
			],
		},
	});
	expect(text).not.toContain("bfdProfiles");
});

test("two ways to the router are two objects, which FRR-K8s joins", () => {
	expect(names(rendered([article, article6]))).toEqual([
		"FRRConfiguration openwrt-waukeen",
		"FRRConfiguration openwrt-six",
	]);
});

test("of names that Kubernetes cannot tell apart one has a number", () => {
	const two = ["a.b", "a-b"].map((name, index) => ({
		...article,
		name,
		local_address: `192.168.1.${index + 8}`,
	}));
	expect(names(rendered(two))).toEqual(["FRRConfiguration openwrt-a-b", "FRRConfiguration openwrt-a-b-2"]);
});

test("without addresses", () => {
	const bare = {
		...{ name: "node", local_as: "65001", remote_as: "65009" },
		...{ interface: "br-lan", node_interface: "eth0" },
	};
	const spec = rendered([bare])[0]?.spec;
	expect(spec).toMatchObject({ bgp: { routers: [{ neighbors: [{ asn: 65001, interface: "eth0" }] }] } });
	expect(JSON.stringify(spec)).not.toContain('"address"');
});

test("one FRR has one AS number, and is FRR-K8s's", () => {
	const other = { ...article, name: "b", address: "192.168.1.3", remote_as: "65010" };
	expect(renderFrrK8s(plan([article, other]))).toEqual({
		error: "one FRR has one AS number, but the peers have 65009 and 65010 (option remote_as)",
	});
	expect(tryPlan([{ ...article, speaker: "metallb-frr" }], "frr-k8s")).toEqual({
		errors: [expect.stringContaining("'bgpwarden render metallb' is for it")],
	});
	expect(tryPlan([{ ...article, port: "16385" }], "frr-k8s")).toEqual({
		errors: [expect.stringContaining("FRR-K8s takes no option port above 16384")],
	});
});
