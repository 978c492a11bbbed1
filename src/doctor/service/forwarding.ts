import type {
	BirdRoute,
	Client,
	KernelRoute,
	NextHop,
	PolicyRule,
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
	return together(reviewRoute(service), reviewHops(service), reviewSwitches(service));
}

function reviewRoute(service: ServiceFacts): Reviewed {
	const { kernelRoutes } = service;
	const found = kernelRoutes && bestInKernel(kernelRoutes);
	const ways = service.clients.flatMap((client) => {
		const { there } = client;
		return there && "route" in there ? [{ client, taken: there.route }] : [];
	});
	const findings = kernelRoutes ? compare(service, kernelRoutes, found) : [];
	const hops = expectedHops(service);
	// BIRD's route is in the table, and a rule has the packets use another.
	const astray = findings.length > 0 ? [] : ways.filter(({ taken }) => !sameHop(taken, hops));
	const [first] = astray;
	if (first) {
		const rule = ruleFor(first.taken, kernelRoutes ?? [], service.rules ?? []);
		const whose = `Packets from ${networks(astray.map(({ client }) => client))}`;
		findings.push(ruled(service, astray.length, whose, first.taken, rule));
	}
	const lost = ways.flatMap(({ client, taken }) => {
		const back = client.back && "route" in client.back ? client.back.route : undefined;
		const isAstray = back && client.network !== undefined && back.interface !== client.interface;
		return isAstray && taken.interface !== client.interface ? [{ client, back }] : [];
	});
	const [one] = lost;
	if (one) {
		const whose = `The answers to ${networks(lost.map(({ client }) => client))}`;
		findings.push(ruled(service, lost.length, whose, one.back, ruleFor(one.back, [], service.rules ?? [])));
	}
	const text = found ? describeKernelRoute(found) : kernelRoutes ? "no route" : undefined;
	return told("kernel", text === undefined ? [] : [text], findings);
}

function ruled(
	service: ServiceFacts,
	hit: number,
	whose: string,
	taken: NextHop,
	rule: PolicyRule | undefined,
): Finding {
	const { address } = service;
	return {
		...weigh(service, hit)(
			"service-rule",
			address,
			`${whose} go astray: ${rule ? `the rule "${rule.text}" sends them` : "the kernel sends them"} ${describeHop(taken)}.`,
			rule?.table === undefined
				? "ip rule, and ip route show table all, say why: correct the route, or exempt the address from the program that set it"
				: `exempt ${address} in the program that made the rule (mwan3, pbr, Tailscale, a VPN), or put a rule before it: ip rule add to ${address} lookup main priority ${Math.max(1, rule.priority - 1)}`,
		),
		...(rule ? { evidence: [`${rule.priority}: ${rule.text}`] } : {}),
	};
}

/** What BIRD wants against what the kernel has. */
function compare(
	{ address, bird, clients }: ServiceFacts,
	routes: readonly KernelRoute[],
	found: KernelRoute | undefined,
): Finding[] {
	const best = bird && bestInBird(bird.routes);
	const evidence = found ? [describeKernelRoute(found)] : [];
	const isShort = best !== undefined && (found === undefined || found.length < lengthOf(best.prefix));
	if (isShort || (!bird && !found)) {
		// A kernel protocol may have a table of its own, to which a rule leads.
		const elsewhere = routes.find((route) => route.prefix === best?.prefix && route.protocol === "bird");
		const isUsed = clients.some(
			({ there }) => there && "route" in there && there.route.table === elsewhere?.table,
		);
		if (elsewhere && isUsed) return [];
		const text = elsewhere
			? `BIRD's route is in the kernel's table ${elsewhere.table}, and no rule leads there.`
			: best
				? `The kernel does not have BIRD's route${found ? `: it would take ${found.prefix}` : ""}.`
				: "The kernel has no route to the address.";
		const advice = elsewhere
			? `ip rule add lookup ${elsewhere.table}; or no kernel table in BIRD's protocol kernel`
			: "logread -e bird says whether the kernel refused it; birdc show route export kernel1 what BIRD gives it";
		return [{ ...red("service-no-route", address, text, advice), evidence }];
	}
	if (!found || (best && (found.protocol === "bird" || found.kind === best.kind) && isSame(found, best)))
		return [];
	if (found.kind !== "unicast")
		return [
			{
				...red(
					"service-blackhole",
					address,
					`The kernel's route to ${found.prefix} is of type ${found.kind}, and it wins: packets for the service are discarded.`,
					`ip route del ${found.kind} ${found.prefix}; /etc/config/network, a VPN or a script may have set it`,
				),
				evidence,
			},
		];
	if (!best) return [];
	return [
		{
			...red(
				"service-other-route",
				address,
				`Another route than BIRD's wins in the kernel: it ${found.prefix === best.prefix ? "has the smaller metric" : "is more specific"}.`,
				"remove it where it was set (/etc/config/network, a VPN, a script); to one with the same prefix BIRD's can be preferred: a smaller metric in protocol kernel",
			),
			evidence,
		},
	];
}

/** Whether the kernel's route is BIRD's, or leads to the same node. */
function isSame({ prefix, protocol, kind, nextHops }: KernelRoute, best: BirdRoute): boolean {
	if (prefix === best.prefix && (protocol === "bird" || kind !== "unicast")) return true;
	return (
		nextHops.every((hop) => sameHop(hop, best.nextHops)) && (nextHops.length > 0 || prefix === best.prefix)
	);
}

function reviewHops(service: ServiceFacts): Reviewed {
	const { address, neighbors } = service;
	const hops = expectedHops(service).filter(({ gateway }) => neighbors.has(gateway ?? ""));
	const states = hops.map((hop) => {
		const entry = neighbors.get(hop.gateway ?? "");
		const state = entry === undefined || entry === "none" ? "none" : entry.state;
		return { hop, state, dead: state === "FAILED" || state === "INCOMPLETE" };
	});
	const dead = states.filter((each) => each.dead);
	const named = dead.map(({ hop }) => hop.gateway).join(", ");
	const findings =
		dead.length === 0
			? []
			: [
					{
						...red(
							"service-next-hop-dead",
							address,
							dead.length === hops.length
								? `The next hop ${named} does not answer ${address.includes(":") ? "NDP" : "ARP"}: packets for the service end there.`
								: `${dead.length} of the ${hops.length} next hops (${named}) ${dead.length === 1 ? "does" : "do"} not answer: connections that are sent there fail, about ${dead.length} of ${hops.length}.`,
							"is the node up, and is this its address? A session that stays up while its node is gone needs BFD: bfd on; in protocol bgp and a bfdProfile in the BGPPeer",
						),
						evidence: states.map(({ hop, state }) => `${describeHop(hop)}: ${state}`),
					},
				];
	const texts = states.map(({ hop, state }) => `${describeHop(hop).replace(/^via /, "")}: ${words(state)}`);
	return told("next hop", texts, findings);
}

function words(state: string): string {
	if (state === "FAILED" || state === "INCOMPLETE") return `does not answer (${state})`;
	return state === "none" ? "has no entry in the neighbor table" : state;
}

function reviewSwitches(service: ServiceFacts): Reviewed {
	const { address, forwarding, clients } = service;
	if (forwarding === false)
		return told(
			"forwarding",
			["switched off"],
			[
				red(
					"service-forwarding-off",
					address,
					`The router does not forward ${address.includes(":") ? "IPv6" : "IPv4"} packets at all.`,
					address.includes(":")
						? "sysctl -w net.ipv6.conf.all.forwarding=1; /etc/sysctl.d keeps it"
						: "sysctl -w net.ipv4.ip_forward=1; /etc/sysctl.d keeps it",
				),
			],
		);
	const there = clients.filter((client) => isRefusedSource(service, client.there, client.interface));
	const back = clients.filter(({ there: way, back: answer }) => {
		return way && "route" in way && isRefusedSource(service, answer, way.route.interface);
	});
	const found = there.length > 0 ? there : back;
	const [first] = found;
	if (!first) return told("forwarding", []);
	const device =
		there.length > 0 || !first.there || !("route" in first.there)
			? first.interface
			: first.there.route.interface;
	const whose = there.length > 0 ? `packets from ${networks(found)}` : `the answers to ${networks(found)}`;
	const text = `${device} drops ${whose}`;
	return told(
		"rp_filter",
		[text],
		[
			{
				...weigh(service, found.length)(
					"service-reverse-path",
					address,
					`The kernel drops ${whose} that come in by ${device}: by its routes their source is behind another interface (rp_filter).`,
					`sysctl -w net.ipv4.conf.${device}.rp_filter=2 (and conf.all) takes any source that there is a route to; or correct the route to the source`,
				),
				evidence: [`rp_filter of ${device}: ${service.reversePath.get(device) ?? "?"}`],
			},
		],
	);
}

/** Kernels before 6.13 say EXDEV, later ones EINVAL, as of a blackhole (net/ipv4/fib_frontend.c, fib_validate_source). */
function isRefusedSource({ reversePath }: ServiceFacts, routed: Client["there"], device: string): boolean {
	if (!routed || !("refused" in routed)) return false;
	if (/cross-device/i.test(routed.refused)) return true;
	return /Invalid argument/i.test(routed.refused) && reversePath.get(device) === STRICT;
}

/** Segments that the node's link cannot carry: the router then tells the client, unless ICMP is filtered on the way. */
export function reviewMtu(service: ServiceFacts, walks: ReadonlyMap<Client, Walk>): Reviewed {
	const { address, mtus, clients } = service;
	const small = clients.flatMap((client) => {
		const { there } = client;
		const device = there && "route" in there ? there.route.interface : "";
		const [own, next] = [mtus.get(client.interface), mtus.get(device)];
		if (own === undefined || next === undefined || next >= own || walks.get(client)?.clamped) return [];
		return [{ client, device, own, next }];
	});
	const [first] = small;
	if (!first) return told("MTU", []);
	const text = `${first.device} carries ${first.next} bytes, ${first.client.interface} ${first.own}`;
	return told(
		"MTU",
		[text],
		[
			yellow(
				"service-mtu",
				address,
				`The link to the node (${text}) is the smaller one, and no rule lowers the segments that TCP offers: connections stall where ICMP is filtered.`,
				"option mtu_fix '1' in the node's zone of /etc/config/firewall; or the same MTU on both links",
			),
		],
	);
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
