import { parseAddress } from "../../lib/address.ts";
import { prefixContains } from "../../lib/prefix.ts";
import { EFFECTS } from "../../model/rule-effect.ts";
import type { Ruleset } from "../../model/ruleset.ts";
import type { Client, ServiceFacts } from "../../model/service-path.ts";
import {
	clientsAck,
	clientsSyn,
	hidesClient,
	nodesAnswer,
	type Passage,
	zoneOfInterface,
} from "../../ruleset/forwarded.ts";
import type { Walk } from "../../ruleset/hit.ts";
import { CATCHES, firstMet, key, STOPS, stops } from "../../ruleset/obstacles.ts";
import { type Facts, isFailure } from "../facts.ts";
import type { Finding } from "../finding.ts";
import { yellow } from "../finding.ts";
import { expectedHops, networks, reviewMtu, weigh } from "./forwarding.ts";
import { type Reviewed, type Step, together } from "./step.ts";

type Met = NonNullable<ReturnType<typeof firstMet>>;

/** What a client's packets meet in the firewall, there and back. */
interface Way {
	readonly client: Client;
	readonly passage: Passage;
	readonly syn: Walk;
	/** The answer goes from the node to the client, past this router. */
	readonly oneSided: boolean;
	readonly there: Met | undefined;
	/** Of a one-sided way: what the client's second packet meets. */
	readonly back: Met | undefined;
}

/** Sends the first packets of a client of each network through the ruleset, as a router forwards them. */
export function reviewPackets({ ruleset }: Facts, service: ServiceFacts): Reviewed {
	if (isFailure(ruleset)) return reviewMtu(service, new Map());
	const ways = service.clients.flatMap((client) => walkClient(ruleset, service, client) ?? []);
	const steps: Step[] = ways.flatMap((way) => stepsOf(way));
	const there = grouped(ways, (way) => way.there);
	// What is stopped is not answered, and a rule that is told of already is one fault.
	const open = ways.filter(({ there: met }) => !(met?.what.certain && stops(met.what.effect)));
	const back = grouped(open, (way) => way.back).filter(({ id }) => !there.some((each) => each.id === id));
	const findings = [
		...there.map((group) => thereFinding(ruleset, service, group)),
		...back.map((group) => backFinding(service, group)),
	];
	const mtu = reviewMtu(service, new Map(ways.map(({ client, syn }) => [client, syn])));
	return together({ steps, findings }, mtu);
}

function walkClient(ruleset: Ruleset, service: ServiceFacts, client: Client): Way | undefined {
	const [from, to] = [parseAddress(client.address), parseAddress(service.address)];
	const hops = expectedHops(service);
	const { there } = client;
	// Where ip could not be asked, BIRD's route tells the interface.
	const nodeSide = there ? there.route?.interface : hops[0]?.interface;
	if (!from || !to || nodeSide === undefined) return undefined;
	const passage: Passage = {
		...{ family: to.family, client: from.bytes, service: to.bytes, port: service.port },
		...{ clientSide: client.interface, nodeSide },
	};
	const syn = clientsSyn(ruleset, passage);
	// Who is reached by a link-local address is on the client's link, and in its network as far as can be told.
	const isNeighbor =
		client.interface === nodeSide &&
		hops.some(
			({ gateway }) =>
				gateway !== undefined &&
				client.network !== undefined &&
				(gateway.startsWith("fe80:") || prefixContains(client.network, gateway)),
		);
	const oneSided = isNeighbor && !hidesClient(syn) && !service.bridged.has(client.interface);
	const answer = oneSided ? clientsAck(ruleset, passage) : nodesAnswer(ruleset, passage, syn);
	return {
		...{ client, passage, syn, oneSided },
		there: firstMet(syn, new Set([...STOPS, ...CATCHES])),
		back: firstMet(answer, new Set([...STOPS, "queue"] as const)),
	};
}

function stepsOf({ client, passage, oneSided, there, back }: Way): Step[] {
	const from = networks([client]);
	const step = (at: string, way: string, met: Met | undefined): Step => ({
		at,
		text: `${way}: ${met ? `${met.what.certain ? "" : "perhaps "}${EFFECTS[met.what.effect]} ${met.what.place}` : "passes"}`,
		level: met ? (met.what.certain ? "red" : "yellow") : "green",
	});
	return [
		step("there", `${from} > ${passage.nodeSide}`, there),
		oneSided
			? step("back", `the node answers ${from} itself, past this router; the client's next packet`, back)
			: step("back", `${passage.nodeSide} > ${from}`, back),
	];
}

interface Group {
	/** What identifies the rule. */
	readonly id: string;
	readonly met: Met;
	readonly ways: readonly Way[];
}

/** One rule that many clients meet is one fault. */
function grouped(ways: readonly Way[], of: (way: Way) => Met | undefined): Group[] {
	const groups = new Map<string, Group>();
	for (const way of ways) {
		const met = of(way);
		if (!met) continue;
		const id = key(met.first);
		groups.set(id, { id, met, ways: [...(groups.get(id)?.ways ?? []), way] });
	}
	return [...groups.values()];
}

function level(service: ServiceFacts, { met, ways }: Group) {
	return met.what.certain ? weigh(service, ways.length) : yellow;
}

function thereFinding(ruleset: Ruleset, service: ServiceFacts, group: Group): Finding {
	const { met, ways } = group;
	const { address, port } = service;
	const { effect, certain, place, table, evidence } = met.what;
	const stopped = stops(effect);
	return level(service, group)(
		stopped ? "service-blocked" : "service-caught",
		address,
		`Connections from ${who(group)} to TCP port ${port} ${certain ? "are" : "may be"} ${EFFECTS[effect]} ${place}.`,
		stopped && table === "inet fw4" ? openZone(ruleset, ways) : `exempt ${address} from table ${table}`,
		evidence,
	);
}

function openZone(ruleset: Ruleset, [way]: readonly Way[]): string {
	const devices = [way?.passage.clientSide ?? "", way?.passage.nodeSide ?? ""];
	const [from, to] = devices.map((device) => zoneOfInterface(ruleset, device));
	if (from === undefined || to === undefined)
		return `put ${devices[from === undefined ? 0 : 1]} into a zone of /etc/config/firewall, with a config forwarding`;
	return from === to
		? `option forward 'ACCEPT' in zone '${from}' of /etc/config/firewall`
		: `config forwarding with option src '${from}' and option dest '${to}' in /etc/config/firewall, or a rule for this address`;
}

function backFinding(service: ServiceFacts, group: Group): Finding {
	const { met, ways } = group;
	const { effect, certain, place, table, evidence } = met.what;
	const what = `${certain ? "are" : "may be"} ${EFFECTS[effect]} ${place}.`;
	const [id, text, advice] = ways[0]?.oneSided
		? ([
				"service-one-sided",
				`Clients in ${who(group)} are in the nodes' network: the node answers them directly, and the next packets of a connection, of which the router has seen one half, ${what}`,
				"a network of their own for the nodes; or option drop_invalid '0' in /etc/config/firewall; or masquerade what goes to the nodes",
			] as const)
		: ([
				"service-answer-blocked",
				`The node's answers to ${who(group)} ${what}`,
				`accept established connections in table ${table} before this rule`,
			] as const);
	return level(service, group)(id, service.address, text, advice, evidence);
}

function who({ ways }: Group): string {
	return networks(ways.map(({ client }) => client));
}
