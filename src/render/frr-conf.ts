import { BFD_PROFILE_NAME } from "./manifests.ts";
import type { Plan } from "./plan.ts";
import { BFD_PROFILE, bySpeakerSide, MASK, routerOf, type Session } from "./session.ts";

/** In the place of the node's name, which FRR-K8s takes from Kubernetes. */
const HOSTNAME = "speaker";

/**
 * The configuration that FRR-K8s (frr-k8s v0.0.25, internal/frr/templates) gives FRR for the objects of `render metallb` and
 * `render frr-k8s`, line by line in its order, seen from one speaker. It announces the pools' own prefixes, where MetalLB
 * announces the address of each service in them; without a pool it announces nothing.
 * @returns or one line, because one FRR has one AS number and one session with each address of the router
 */
export function renderFrr({ sessions, pools, secrets, others }: Plan): string | { readonly error: string } {
	const neighbors = bySpeakerSide(sessions).map(({ session }) => session);
	const asNumbers = [...new Set(neighbors.map(({ remoteAs }) => remoteAs))];
	if (asNumbers.length > 1)
		return {
			error: `one speaker has one AS number, but the peers have ${asNumbers.join(" and ")} (option remote_as)`,
		};
	if (new Set(neighbors.map(routerOf)).size < neighbors.length)
		return { error: "this is one speaker's file, but the nodes (option node) dial the router differently" };
	const networks = ([4, 6] as const).flatMap((family) =>
		inFamily(
			family,
			pools.filter((pool) => pool.family === family).map(({ text }) => `network ${text}`),
		),
	);
	return [
		"! Made by `bgpwarden render frr`: what FRR-K8s gives FRR for `bgpwarden render metallb`.",
		...others.map((line) => `! ${line}`),
		"log stdout informational",
		"log timestamp precision 3",
		`hostname ${sessions.find(({ node }) => node !== undefined)?.node ?? HOSTNAME}`,
		"ip nht resolve-via-default",
		"ipv6 nht resolve-via-default",
		...neighbors.flatMap((session) => filters(session, pools)),
		`router bgp ${asNumbers[0]}`,
		"  no bgp ebgp-requires-policy",
		"  no bgp network import-check",
		"  no bgp default ipv4-unicast",
		"  bgp graceful-restart preserve-fw-state",
		...neighbors.flatMap((session) => neighbor(session, secrets)),
		...neighbors.flatMap((session) => session.families.flatMap((family) => activate(family, session))),
		...networks,
		...(neighbors.some(({ bfd }) => bfd)
			? [
					"bfd",
					`  profile ${BFD_PROFILE_NAME}`,
					`    receive-interval ${BFD_PROFILE.receiveInterval}`,
					`    transmit-interval ${BFD_PROFILE.transmitInterval}`,
				]
			: []),
		"",
	].join("\n");
}

const ip = (family: 4 | 6) => (family === 4 ? "ip" : "ipv6");

/** Only the pools are told; nothing is learned from the router. */
function filters(session: Session, pools: Plan["pools"]): string[] {
	const { families } = session;
	const router = routerOf(session);
	const told = ([4, 6] as const).flatMap((family) => {
		const own = families.includes(family) ? pools.filter((pool) => pool.family === family) : [];
		const entries = own.length === 0 ? ["deny any"] : own.map(({ text }) => `permit ${text}`);
		return entries.map(
			(entry, index) => `${ip(family)} prefix-list ${router}-allowed-ipv${family} seq ${index + 1} ${entry}`,
		);
	});
	const learned = `${router}-inpl-${families.length > 1 ? "dual" : `ipv${families[0]}`}`;
	return [
		...told,
		`route-map ${router}-out permit 1`,
		`  match ip address prefix-list ${router}-allowed-ipv4`,
		`route-map ${router}-out permit 2`,
		`  match ipv6 address prefix-list ${router}-allowed-ipv6`,
		`ip prefix-list ${learned} seq 1 deny any`,
		`ipv6 prefix-list ${learned} seq 2 deny any`,
		`route-map ${router}-in permit 3`,
		`  match ip address prefix-list ${learned}`,
		`route-map ${router}-in permit 4`,
		`  match ipv6 address prefix-list ${learned}`,
	];
}

function neighbor(session: Session, secrets: boolean): string[] {
	const { nodeInterface, localAs, remoteAs, family, families, multihop, password } = session;
	const lines = [
		...(nodeInterface === undefined ? [`remote-as ${localAs}`] : [`interface remote-as ${localAs}`]),
		...(multihop ? ["ebgp-multihop"] : []),
		`port ${session.port}`,
		`timers ${session.keepaliveTime} ${session.holdTime}`,
		`timers connect ${session.connectTime}`,
		...(password === undefined ? [] : [`password ${secrets ? password : MASK}`]),
		...(session.sourceAddress === undefined ? [] : [`update-source ${session.sourceAddress}`]),
		...(session.gracefulRestart ? ["graceful-restart"] : []),
		...(session.bfd ? ["bfd", `bfd profile ${BFD_PROFILE_NAME}`] : []),
		// Only there: mustDisableConnectedCheck in internal/frr/config.go.
		...(family === 6 && families.length === 1 && localAs !== remoteAs && !multihop
			? ["disable-connected-check"]
			: []),
	].map((words) => `  neighbor ${routerOf(session)} ${words}`);
	if (password === undefined || secrets) return lines;
	// A wrong password is worse than none: the line is a comment.
	return lines.flatMap((line) =>
		line.endsWith(MASK) ? ["! `render frr --secrets` prints the password.", `!${line}`] : [line],
	);
}

function activate(family: 4 | 6, session: Session): string[] {
	const router = routerOf(session);
	return inFamily(family, [
		`neighbor ${router} activate`,
		`neighbor ${router} route-map ${router}-in in`,
		`neighbor ${router} route-map ${router}-out out`,
	]);
}

function inFamily(family: 4 | 6, lines: readonly string[]): string[] {
	if (lines.length === 0) return [];
	return [
		`  address-family ipv${family} unicast`,
		...lines.map((line) => `    ${line}`),
		"  exit-address-family",
	];
}
