import type { BirdRoute, ServiceFacts } from "../../model/service-path.ts";
import { type Facts, isFailure } from "../facts.ts";
import { type Finding, red, yellow } from "../finding.ts";
import { bestInBird, describeHops, sameHop } from "./routes.ts";
import { type Reviewed, together, told } from "./step.ts";

/** From the cluster to BIRD's routing table and out of it: who announces the address, and what BIRD makes of it. */
export function reviewAnnounced(facts: Facts, service: ServiceFacts): Reviewed {
	const { address, isOwn, network, bird } = service;
	const own = isOwn
		? [
				red(
					"service-own-address",
					address,
					"This is an address of the router itself: its packets never leave it.",
					"ask about the service's EXTERNAL-IP: kubectl get svc -A; and take the address from one of the two",
				),
			]
		: network
			? [inSubnet(service, network)]
			: [];
	const place = own.length > 0 ? told("address", [own[0]?.text ?? ""], own) : told("address", []);
	if (!bird || isFailure(facts.bird)) return place;
	const { peers } = facts.bird.reading;
	const names = new Set(peers.map(({ name }) => name));
	const announced = bird.routes.filter(({ protocol }) => names.has(protocol));
	const findings = announced.length > 0 ? [] : [unannounced(facts, service, names)];
	const texts = announced.map((route) => `by ${route.protocol}: ${describe(route)}`);
	return together(
		place,
		told("announced", texts.length > 0 ? texts : ["by nobody"], findings),
		reviewBest(service, bird, announced, names),
	);
}

/** A host asks for a neighbor by ARP or NDP, and no node answers for an address that is announced by BGP. */
function inSubnet({ address, from, clients }: ServiceFacts, network: { prefix: string; interface: string }) {
	const asked = from !== undefined && clients.some((each) => each.network === network.prefix);
	return (asked ? red : yellow)(
		"service-in-subnet",
		address,
		`The address is in ${network.prefix} on ${network.interface}: hosts of that network take it for a neighbor and do not send its packets to the router.`,
		"give the cluster's pool a range that is in none of the router's networks",
	);
}

function unannounced({ bird: read }: Facts, service: ServiceFacts, names: ReadonlySet<string>): Finding {
	const { address, bird } = service;
	const peers = isFailure(read) ? [] : read.reading.peers;
	const up = peers.filter(({ state }) => state === "Established");
	if (up.length === 0)
		return red(
			"service-no-session",
			address,
			"No BGP session is up, so that nobody can announce the address.",
			"bgpwarden doctor says why the sessions are down",
		);
	const left = bird?.filtered.filter(({ protocol }) => names.has(protocol)) ?? [];
	if (left.length > 0)
		return {
			...red(
				"service-filtered",
				address,
				`A peer (${some(left.map(({ protocol }) => protocol))}) announces the address, and BIRD's import filter leaves it out.`,
				"widen the import filter of that protocol in bird.conf, and birdc configure",
			),
			evidence: left.map(describe),
		};
	const closed = up.filter(({ name }) => bird?.closed.includes(name));
	if (closed.length === up.length)
		return red(
			"service-filtered",
			address,
			`BIRD imports nothing from ${some(closed.map(({ name }) => name))} (import none): whatever is announced is left out.`,
			"import all; or a filter that accepts the pool, in the protocol's channel; then birdc configure",
		);
	const filtering = up.filter(({ updates }) => (updates?.filtered ?? 0) > 0);
	const evidence = up.map(
		({ name, imported, updates }) =>
			`${name}: Established, ${imported ?? "?"} routes imported${updates ? `, ${updates.filtered} announcements filtered` : ""}`,
	);
	if (filtering.length > 0)
		return {
			...red(
				"service-filtered",
				address,
				`BIRD has no route to the address from any peer, and the import filter of ${some(filtering.map(({ name }) => name))} has left announcements out: the address may be among them.`,
				"import keep filtered; in the channel has BIRD show what it leaves out; or widen the filter; then birdc configure",
			),
			evidence,
		};
	return {
		...red(
			"service-unannounced",
			address,
			"The sessions are up, and no peer announces the address.",
			"on the cluster: does the service have this address and endpoints that are ready (with externalTrafficPolicy: Local only nodes with one announce it)? Is its pool in a BGPAdvertisement, or for Cilium in a CiliumBGPAdvertisement? kubectl describe svc",
		),
		evidence,
	};
}

function reviewBest(
	{ address }: ServiceFacts,
	bird: NonNullable<ServiceFacts["bird"]>,
	announced: readonly BirdRoute[],
	names: ReadonlySet<string>,
): Reviewed {
	const best = bestInBird(bird.routes);
	const findings: Finding[] = [];
	const [route] = announced;
	const lost = announced.filter(({ kind }) => kind === "unreachable");
	if (route && lost.length === announced.length)
		findings.push(
			red(
				"service-next-hop-unresolved",
				address,
				`BIRD knows no way to the next hop ${route.announcedNextHop ?? "that is announced"}: the route is unreachable.`,
				"multihop sessions look the next hop up among BIRD's own routes: protocol direct { ipv4; ipv6; interface …; } has those of the links",
			),
		);
	const hops = announced.flatMap(({ nextHops }) => nextHops);
	const other = best && !names.has(best.protocol) ? best : undefined;
	if (other && route && !(other.nextHops.length > 0 && other.nextHops.every((hop) => sameHop(hop, hops))))
		findings.push({
			...red(
				"service-not-best",
				address,
				`BIRD prefers the route of ${other.protocol} to the one that ${route.protocol} announces.`,
				`remove that route, or lower the preference of ${other.protocol} below ${route.preference ?? 100}, in bird.conf`,
			),
			evidence: [other, ...announced].map((each) => `${each.protocol}: ${describe(each)}`),
		});
	const taken = bird.exported?.some(({ prefix, table }) => prefix === best?.prefix && table === best.table);
	if (best && !taken)
		findings.push(
			red(
				"service-not-exported",
				address,
				bird.exported
					? "BIRD's protocol kernel does not take the route: its export filter leaves it out."
					: "BIRD has no protocol kernel that is up: its routes do not reach the kernel.",
				"protocol kernel { ipv4 { export all; }; } in bird.conf, ipv6 likewise; then birdc configure",
			),
		);
	const text = best ? `${best.protocol}: ${describe(best)}` : "no route";
	return told("BIRD", [text], findings);
}

function describe({ prefix, kind, nextHops, preference, announcedNextHop }: BirdRoute): string {
	const hops = nextHops.length > 0 ? describeHops(nextHops) : announcedNextHop;
	return [
		kind === "unicast" ? prefix : `${kind} ${prefix}`,
		...(hops === undefined ? [] : [kind === "unreachable" ? `(next hop ${hops})` : hops]),
		...(preference === undefined ? [] : [`preference ${preference}`]),
	].join(" ");
}

function some(names: readonly string[]): string {
	return [...new Set(names)].join(", ");
}
