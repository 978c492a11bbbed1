/**
 * The part of MetalLB's API that may be rendered, as JSON Schemas: names, types, and limits of the CustomResourceDefinitions
 * that MetalLB publishes (config/crd/bases, July 2026: bgppeers v1beta2, bfdprofiles, ipaddresspools and bgpadvertisements
 * v1beta1), written down anew and closed: a field that is not here is a mistake. What the definitions leave to the
 * controllers is here as a pattern (Go durations, addresses; internal/config/config.go).
 */

const asNumber = { type: "integer", minimum: 0, maximum: 4_294_967_295 };
const interval = { type: "integer", minimum: 10, maximum: 60_000 };
const duration = { type: "string", pattern: "^[1-9][0-9]*s$" };
const address = { type: "string", pattern: "^([0-9]+(\\.[0-9]+){3}|[0-9a-f:]*:[0-9a-f:.]*)$" };
/** RFC 1123, which metadata.name has to follow. */
const name = { type: "string", pattern: "^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$" };
const names = { type: "array", items: name, minItems: 1 };

function kind(
	version: string,
	kindName: string,
	required: readonly string[],
	spec: Readonly<Record<string, object>>,
) {
	const metadata = {
		type: "object",
		properties: { name, namespace: { const: "metallb-system" } },
		required: ["name", "namespace"],
		additionalProperties: false,
	};
	return {
		type: "object",
		properties: {
			apiVersion: { const: `metallb.io/${version}` },
			kind: { const: kindName },
			metadata,
			spec: { type: "object", properties: spec, required, additionalProperties: false },
		},
		required: ["apiVersion", "kind", "metadata", "spec"],
		additionalProperties: false,
	};
}

export const SCHEMAS: Readonly<Record<string, object>> = {
	BGPPeer: kind("v1beta2", "BGPPeer", ["myASN", "peerASN", "peerAddress"], {
		myASN: asNumber,
		peerASN: asNumber,
		peerAddress: address,
		peerPort: { type: "integer", minimum: 1, maximum: 16384 },
		holdTime: duration,
		keepaliveTime: duration,
		bfdProfile: { type: "string" },
		ebgpMultiHop: { type: "boolean" },
	}),
	BFDProfile: kind("v1beta1", "BFDProfile", [], {
		receiveInterval: interval,
		transmitInterval: interval,
		detectMultiplier: { type: "integer", minimum: 2, maximum: 255 },
	}),
	IPAddressPool: kind("v1beta1", "IPAddressPool", ["addresses"], {
		addresses: { type: "array", items: { type: "string", pattern: "^[0-9a-f:.]+/[0-9]+$" }, minItems: 1 },
	}),
	BGPAdvertisement: kind("v1beta1", "BGPAdvertisement", [], { ipAddressPools: names, peers: names }),
};
