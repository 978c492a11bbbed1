import type {
	BirdRoute,
	Client,
	KernelRoute,
	NextHop,
	Routed,
	ServiceFacts,
} from "../../model/service-path.ts";
import type { Walk } from "../../ruleset/hit.ts";
import { type Finding, red, yellow } from "../finding.ts";
import {
	bestInBird,
	bestInKernel,
	describeHop,
	describeKernelRoute,
	lengthOf,
	ruleFor,
	sameHop,
} from "./routes.ts";
import { type Reviewed, together, told } from "./step.ts";

/** Strict, in the words of rp_filter. */
const STRICT = 1;

/** From BIRD's routes to the node: the kernel's route, the rules that lead elsewhere, the next hops, what the kernel checks. */
export function reviewForwarding(service: ServiceFacts): Reviewed {
	return together(reviewClient(service), reviewRoute(service), reviewHops(service), reviewSwitches(service));
}

function reviewClient({ address, from, clients }: ServiceFacts): Reviewed {
	if (from === undefined || clients.length > 0) return told("client", []);
	const text = `The router has no route to the client ${from}, or that is the router itself.`;
	return told("client", [text], [red("service-no-route", address, text)]);
}

function reviewRoute(service: ServiceFacts): Reviewed {
	const { kernelRoutes: routes, clients } = service;
	if (!routes) return told("kernel", []);
	const found = bestInKernel(routes);
	const wrong = compare(service, routes, found);
	const hops = expectedHops(service);
	// BIRD's route is in the table, and a rule has the packets use another.
	const there = wrong ? [] : clients.filter(({ there: { route } = {} }) => route && !sameHop(route, hops));
	const back = clients.filter(({ network, interface: device, there: way, back: { route } = {} }) => {
		const isAstray = route !== undefined && network !== undefined && route.interface !== device;
		return isAstray && way?.route?.interface !== device;
	});
	return told(
		"kernel",
		[found ? describeKernelRoute(found) : "no route"],
		[
			...(wrong ? [wrong] : []),
			...ruled(service, there, "Packets from", ({ there: way }) => way?.route),
			...ruled(service, back, "Answers to", (client) => client.back?.route),
		],
	);
}

function ruled(
	service: ServiceFacts,
	clients: readonly Client[],
	whose: string,
	of: (client: Client) => (NextHop & { readonly table?: string }) | undefined,
): Finding[] {
	const taken = clients[0] && of(clients[0]);
	if (!taken) return [];
	const { address, kernelRoutes = [], rules = [] } = service;
	const rule = ruleFor(taken, kernelRoutes, rules);
	return [
		weigh(service, clients.length)(
			"service-rule",
			address,
			`${whose} ${networks(clients)} go astray: ${rule ? `rule ${rule.priority}` : "the kernel"} sends them ${describeHop(taken)}.`,
			`exempt ${address} in the program that set this (mwan3, pbr, Tailscale, a VPN), or put a rule before it: ip rule add … lookup main priority ${Math.max(1, (rule?.priority ?? 2) - 1)}`,
			rule && [`${rule.priority}: ${rule.text}`],
		),
	];
}

/** What BIRD wants against what the kernel has. */
function compare(
	{ address, bird, clients }: ServiceFacts,
	routes: readonly KernelRoute[],
	found: KernelRoute | undefined,
): Finding | undefined {
	const best = bird && bestInBird(bird.routes);
	const evidence = found && [describeKernelRoute(found)];
	if (best ? found === undefined || found.length < lengthOf(best.prefix) : !bird && !found) {
		// A kernel protocol may have a table of its own, to which a rule leads.
		const elsewhere = routes.find(({ prefix, protocol }) => prefix === best?.prefix && protocol === "bird");
		if (elsewhere && clients.some(({ there }) => there?.route?.table === elsewhere.table)) return undefined;
		return red(
			"service-no-route",
			address,
			elsewhere
				? `BIRD's route is in the kernel's table ${elsewhere.table}, and no rule leads there.`
				: "The kernel does not have a route from BIRD.",
			elsewhere
				? `ip rule add lookup ${elsewhere.table}; or no kernel table in protocol kernel`
				: "logread -e bird says whether the kernel refused it",
			evidence,
		);
	}
	if (!found || (best && isSame(found, best))) return undefined;
	if (found.kind !== "unicast")
		return red(
			"service-blackhole",
			address,
			`The kernel discards the packets: its route to ${found.prefix} is of type ${found.kind}.`,
			`ip route del ${found.kind} ${found.prefix}; who set it: /etc/config/network, a VPN, a script?`,
			evidence,
		);
	return (
		best &&
		red(
			"service-other-route",
			address,
			`Another route than BIRD's wins in the kernel: it ${found.prefix === best.prefix ? "has the smaller metric" : "is more specific"}.`,
			"remove it where it was set (/etc/config/network, a VPN, a script), or give BIRD's a smaller metric in protocol kernel",
			evidence,
		)
	);
}

/** Whether the kernel's route is BIRD's, or leads to the same node. */
function isSame({ prefix, protocol, kind, nextHops }: KernelRoute, best: BirdRoute): boolean {
	if (prefix === best.prefix && (protocol === "bird" || (kind !== "unicast" && kind === best.kind)))
		return true;
	return (
		kind === "unicast" &&
		nextHops.every((hop) => sameHop(hop, best.nextHops)) &&
		(nextHops.length > 0 || prefix === best.prefix)
	);
}

function reviewHops(service: ServiceFacts): Reviewed {
	const { address, neighbors } = service;
	const states = expectedHops(service).flatMap((hop) => {
		const entry = neighbors.get(hop.gateway ?? "");
		return entry ? [{ hop, state: entry === "none" ? "no entry" : entry.state }] : [];
	});
	const dead = states.filter(({ state }) => state === "FAILED" || state === "INCOMPLETE");
	const texts = states.map(({ hop, state }) => `${describeHop(hop)}: ${state}`);
	const [some, all] = [dead.length, states.length];
	if (some === 0) return told("next hop", texts);
	return told("next hop", texts, [
		red(
			"service-next-hop-dead",
			address,
			`The next hop ${dead.map(({ hop }) => hop.gateway).join(", ")} does not answer ARP or NDP: ${some === all ? "packets end there" : `about ${some} of ${all} connections fail`}.`,
			"is the node up, and is this its address? With BFD on both ends BIRD drops the routes of a dead node within a second",
			texts,
		),
	]);
}

function reviewSwitches(service: ServiceFacts): Reviewed {
	const { address, forwarding, clients, reversePath } = service;
	if (forwarding === false) {
		const setting = address.includes(":") ? "ipv6.conf.all.forwarding" : "ipv4.ip_forward";
		return told(
			"forwarding",
			["off"],
			[
				red(
					"service-forwarding-off",
					address,
					`The router forwards no packets of this family (net.${setting}).`,
					`sysctl -w net.${setting}=1; a file in /etc/sysctl.d keeps it`,
				),
			],
		);
	}
	/** Kernels before 6.13 say EXDEV, later ones EINVAL, as of a blackhole (net/ipv4/fib_frontend.c, fib_validate_source). */
	const isRefused = ({ refused = "" }: Routed = {}, device = "") =>
		refused.includes("cross-device") ||
		(refused.includes("Invalid argument") && reversePath.get(device) === STRICT);
	const there = clients.filter(({ there: way, interface: device }) => isRefused(way, device));
	const back = clients.filter(({ there: way, back: answer }) => isRefused(answer, way?.route?.interface));
	const [first] = there.length > 0 ? there : back;
	if (!first) return told("rp_filter", []);
	const isThere = there.length > 0;
	const device = isThere ? first.interface : first.there?.route?.interface;
	const text = `The kernel drops ${isThere ? "packets from" : "answers to"} ${networks(isThere ? there : back)} that come in by ${device}: it would reach their source another way (rp_filter ${reversePath.get(device ?? "") ?? "?"}).`;
	return told(
		"rp_filter",
		[text],
		[
			weigh(service, (isThere ? there : back).length)(
				"service-reverse-path",
				address,
				text,
				`correct the route to the source; or sysctl -w net.ipv4.conf.${device}.rp_filter=2, and conf.all likewise`,
			),
		],
	);
}

/** Segments that the node's link cannot carry: the router then tells the client, unless ICMP is filtered on the way. */
export function reviewMtu(service: ServiceFacts, walks: ReadonlyMap<Client, Walk>): Reviewed {
	const { address, mtus, clients } = service;
	for (const client of clients) {
		const device = client.there?.route?.interface ?? "";
		const [own, next] = [mtus.get(client.interface), mtus.get(device)];
		if (own === undefined || next === undefined || next >= own || walks.get(client)?.clamped) continue;
		const text = `${device} has an MTU of ${next} bytes, ${client.interface} of ${own}`;
		return told(
			"MTU",
			[text],
			[
				yellow(
					"service-mtu",
					address,
					`${text}, and no rule lowers TCP's segments: connections stall where ICMP is filtered.`,
					"option mtu_fix '1' in the node's zone of /etc/config/firewall",
				),
			],
		);
	}
	return told("MTU", []);
}

/** Where the packets should go: the kernel's route, or BIRD's where the kernel's does not tell. */
export function expectedHops({ kernelRoutes = [], bird }: ServiceFacts): readonly NextHop[] {
	const found = bestInKernel(kernelRoutes);
	const best = bird && bestInBird(bird.routes);
	if (found && found.nextHops.length > 0 && (!best || found.prefix === best.prefix)) return found.nextHops;
	return best?.nextHops ?? found?.nextHops ?? [];
}

/** A fault of all clients, or of the one that was asked about, is an error; one of some networks may be meant. */
export function weigh({ from, clients }: ServiceFacts, hit: number): typeof red {
	return from !== undefined || hit >= clients.length ? red : yellow;
}

/** `192.168.10.0/24 (br-iot)`, several of them. */
export function networks(clients: readonly Client[]): string {
	return clients
		.map(({ network, address, interface: device }) => `${network ?? address} (${device})`)
		.join(", ");
}
