import { Ajv } from "ajv";
import { dump, loadAll } from "js-yaml";
import { expect, test } from "vitest";
import { renderMetallb } from "../../src/render/metallb-manifests.ts";
import { SCHEMAS } from "./metallb-api.ts";
import { article, article6, type Options, plan } from "./sample-plan.ts";

interface Resource {
	readonly apiVersion: string;
	readonly kind: string;
	readonly metadata: { readonly name: string };
	readonly spec: Readonly<Record<string, unknown>>;
}

/** The documents, each valid for MetalLB. */
function rendered(peers: readonly Options[], pool?: string, main?: Options): Resource[] {
	const documents = loadAll(renderMetallb(plan(peers, pool, main), dump)) as Resource[];
	const ajv = new Ajv({ strict: true, allErrors: true });
	for (const document of documents) {
		ajv.validate(SCHEMAS[document.kind] ?? false, document);
		expect(ajv.errors).toBeNull();
	}
	return documents;
}

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
	expect(mixed.map(({ kind, metadata }) => `${kind} ${metadata.name}`)).toEqual([
		"BGPPeer home-1-waukeen",
		"BGPPeer home-1-six-2",
		"BFDProfile bfdprofile",
	]);
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
	const two = rendered([article, { ...article, name: "drizzt", address: "192.168.1.3", port: "1790" }]);
	const peers = two.filter(({ kind }) => kind === "BGPPeer");
	expect(peers.map(({ spec }) => spec.peerPort)).toEqual([undefined, 1790]);
	expect(new Set(peers.map(({ metadata }) => metadata.name)).size).toBe(2);
});
