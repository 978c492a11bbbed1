import { BFD_PROFILE, bySpeakerSide, HOLD_TIME, KEEPALIVE_TIME, type Plan, type Session } from "./plan.ts";

/**
 * The configuration that MetalLB's FRR mode gives FRR for the objects of `renderMetallb` (metallb,
 * internal/bgp/frr/templates, July 2026), seen from the speaker. It announces the pool's own prefix, where MetalLB announces
 * the address of each service in it; without a pool it announces nothing.
 * @returns or one line, because one FRR has one AS number
 */
export function renderFrr({ sessions, pool }: Plan): string | { readonly error: string } {
	const groups = bySpeakerSide(sessions).flatMap(([session]) => session ?? []);
	const asNumbers = [...new Set(groups.map(({ remoteAs }) => remoteAs))];
	if (asNumbers.length > 1)
		return {
			error: `one speaker has one AS number, but the peers have ${asNumbers.join(" and ")} (option remote_as)`,
		};
	return [
		"! Made by `bgpwarden render frr`: what MetalLB's speaker gives FRR for `bgpwarden render metallb`.",
		"log stdout informational",
		"log timestamp precision 3",
		"ip nht resolve-via-default",
		"ipv6 nht resolve-via-default",
		...groups.flatMap((session) => filters(session, pool)),
		`router bgp ${asNumbers[0]}`,
		" no bgp ebgp-requires-policy",
		" no bgp network import-check",
		" no bgp default ipv4-unicast",
		...groups.flatMap(neighbor),
		...groups.flatMap(family),
		...announcements(pool),
		"exit",
		...(groups.some(({ bfd }) => bfd)
			? [
					"bfd",
					" profile bfdprofile",
					`  receive-interval ${BFD_PROFILE.receiveInterval}`,
					`  transmit-interval ${BFD_PROFILE.transmitInterval}`,
					" exit",
					"exit",
				]
			: []),
		"",
	].join("\n");
}

/** Nothing is learned from the router; only the pool is told. */
function filters({ localAddress: router }: Session, pool: Plan["pool"]): string[] {
	const list = (family: 4 | 6) =>
		`${family === 4 ? "ip" : "ipv6"} prefix-list ${router}-allowed-ipv${family}`;
	const entry = (family: 4 | 6) => (pool?.family === family ? `permit ${pool.text}` : "deny any");
	return [
		`route-map ${router}-in deny 20`,
		"exit",
		`${list(4)} seq 1 ${entry(4)}`,
		`${list(6)} seq 1 ${entry(6)}`,
		`route-map ${router}-out permit 1`,
		` match ip address prefix-list ${router}-allowed-ipv4`,
		"exit",
		`route-map ${router}-out permit 2`,
		` match ipv6 address prefix-list ${router}-allowed-ipv6`,
		"exit",
	];
}

function neighbor({
	localAddress: router,
	localAs,
	remoteAs,
	multihop,
	bfd,
	family,
	port,
}: Session): string[] {
	const external = localAs !== remoteAs;
	return [
		`remote-as ${localAs}`,
		...(multihop ? ["ebgp-multihop"] : []),
		`port ${port}`,
		`timers ${KEEPALIVE_TIME} ${HOLD_TIME}`,
		...(bfd ? ["bfd", "bfd profile bfdprofile"] : []),
		// Only there: mustDisableConnectedCheck in internal/bgp/frr/config.go.
		...(family === 6 && external && !multihop ? ["disable-connected-check"] : []),
	].map((words) => ` neighbor ${router} ${words}`);
}

function family({ localAddress: router, family }: Session): string[] {
	return [
		` address-family ipv${family} unicast`,
		`  neighbor ${router} activate`,
		`  neighbor ${router} route-map ${router}-in in`,
		`  neighbor ${router} route-map ${router}-out out`,
		" exit-address-family",
	];
}

function announcements(pool: Plan["pool"]): string[] {
	if (!pool) return [];
	return [` address-family ipv${pool.family} unicast`, `  network ${pool.text}`, " exit-address-family"];
}
