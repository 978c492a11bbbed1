import type { BirdPeer } from "../../model/bird.ts";
import type { BirdRoute, ServiceFacts } from "../../model/service-path.ts";
import { type Facts, isFailure } from "../facts.ts";
import { type Finding, red, yellow } from "../finding.ts";
import { bestInBird, describeHops, sameHop } from "./routes.ts";
import { type Reviewed, together, told } from "./step.ts";

/** From the cluster to BIRD's routing table and out of it: who announces the address, and what BIRD makes of it. */
export function reviewAnnounced({ bird: read }: Facts, service: ServiceFacts): Reviewed {
	const { bird } = service;
	const place = addressFindings(service);
	const address = told(
		"address",
		place.map(({ text }) => text),
		place,
	);
	if (!bird || isFailure(read)) return address;
	const { peers } = read.reading;
	const isPeers = ({ protocol }: BirdRoute) => peers.some(({ name }) => name === protocol);
	const announced = bird.routes.filter(isPeers);
	const texts = announced.map((route) => `by ${describe(route)}`);
	return together(
		address,
		announced.length > 0
			? told("announced", texts)
			: told("announced", ["by nobody"], [unannounced(peers, service, bird.filtered.filter(isPeers))]),
		reviewBest(service, bird, announced, isPeers),
	);
}

function addressFindings({ address, isOwn, network, from, clients }: ServiceFacts): Finding[] {
	if (isOwn)
		return [
			red(
				"service-own-address",
				address,
				"This is the router's own address.",
				"ask about the service's EXTERNAL-IP (kubectl get svc -A)",
			),
		];
	if (!network) return [];
	// A host asks for a neighbor by ARP or NDP, and no node answers for an address that is announced by BGP.
	const { prefix, interface: device } = network;
	const asked = from !== undefined && clients.some((each) => each.network === prefix);
	return [
		(asked ? red : yellow)(
			"service-in-subnet",
			address,
			`The address is in ${prefix} on ${device}: hosts there look for it on their link and do not ask the router.`,
			"give the pool a range that is in none of the router's networks",
		),
	];
}

function unannounced(
	peers: readonly BirdPeer[],
	{ address }: ServiceFacts,
	left: readonly BirdRoute[],
): Finding {
	const up = peers.filter(({ state }) => state === "Established");
	if (up.length === 0)
		return red("service-no-session", address, "No BGP session is up: nobody can announce the address.");
	if (left.length > 0)
		return red(
			"service-filtered",
			address,
			"A peer announces the address, and BIRD's import filter leaves it out.",
			"widen the filter in bird.conf, then birdc configure",
			left.map(describe),
		);
	const family = address.includes(":") ? "ipv6" : "ipv4";
	const imports = up.map(({ name, imported, updates, channels }) => {
		const own = channels ? channels.find((each) => each.family === family)?.updates : updates;
		return { name, imported, filtered: own?.filtered };
	});
	const evidence = imports.map(
		({ name, imported, filtered }) =>
			`${name}: Established, ${filtered === undefined ? "import none" : `${imported ?? "?"} routes imported, ${filtered} announcements filtered`}`,
	);
	const advice = "widen the filter in bird.conf, then birdc configure";
	// BIRD counts no updates of a channel with `import none`.
	if (imports.every(({ filtered }) => filtered === undefined))
		return red("service-filtered", address, "BIRD imports nothing (import none).", advice, evidence);
	if (imports.some(({ filtered }) => filtered))
		return red(
			"service-filtered",
			address,
			"BIRD has no route to the address from any peer, and an import filter has left announcements out: this one may be among them.",
			`${advice}; with import keep filtered; BIRD shows what it leaves out`,
			evidence,
		);
	return red(
		"service-unannounced",
		address,
		"The sessions are up, and no peer announces the address.",
		"on the cluster: does the service have this address, and endpoints that are ready (with externalTrafficPolicy: Local only their nodes announce it)? Is its pool in a BGPAdvertisement (CiliumBGPAdvertisement)?",
		evidence,
	);
}

function reviewBest(
	{ address }: ServiceFacts,
	{ routes, exported }: NonNullable<ServiceFacts["bird"]>,
	announced: readonly BirdRoute[],
	isPeers: (route: BirdRoute) => boolean,
): Reviewed {
	const best = bestInBird(routes);
	const [route] = announced;
	if (!best) return told("BIRD", ["no route"]);
	const findings: Finding[] = [];
	if (route && announced.every(({ kind }) => kind === "unreachable"))
		findings.push(
			red(
				"service-next-hop-unresolved",
				address,
				`BIRD knows no way to the next hop ${route.announcedNextHop ?? "that is announced"}.`,
				"protocol direct in bird.conf, with the interface towards the nodes: next hops of multihop sessions are looked up among BIRD's own routes",
			),
		);
	const hops = announced.flatMap(({ nextHops }) => nextHops);
	const isSame = best.nextHops.length > 0 && best.nextHops.every((hop) => sameHop(hop, hops));
	if (route && !isPeers(best) && !isSame)
		findings.push(
			red(
				"service-not-best",
				address,
				`BIRD prefers another route to the one that ${route.protocol} announces.`,
				`remove the route of ${best.protocol} in bird.conf, or lower its preference`,
				[best, ...announced].map(describe),
			),
		);
	if (!exported?.some(({ prefix, table }) => prefix === best.prefix && table === best.table))
		findings.push(
			red(
				"service-not-exported",
				address,
				`BIRD's route does not reach the kernel: ${exported ? "protocol kernel does not export it" : "no protocol kernel is up"}.`,
				"protocol kernel { ipv4 { export all; }; } in bird.conf (or ipv6), then birdc configure",
			),
		);
	return told("BIRD", [describe(best)], findings);
}

function describe({ protocol, prefix, kind, nextHops, preference, announcedNextHop }: BirdRoute): string {
	const hops =
		describeHops(nextHops) || (announcedNextHop === undefined ? "" : `next hop ${announcedNextHop}`);
	return `${protocol}: ${kind === "unicast" ? "" : `${kind} `}${prefix} ${hops} preference ${preference ?? "?"}`;
}
