import type { Ruleset } from "../model/ruleset.ts";
import type { Walk } from "./hit.ts";
import { matches } from "./match.ts";
import { evaluate, type Packet, TCP_FLAGS } from "./packet.ts";
import { walk } from "./walk.ts";

const { syn: SYN = 0, ack: ACK = 0 } = TCP_FLAGS;

/** A client and a service behind two interfaces of the router, which may be one and the same. */
export interface Passage {
	readonly family: 4 | 6;
	/** 4 or 16 bytes each. */
	readonly client: readonly number[];
	readonly service: readonly number[];
	/** TCP port of the service. */
	readonly port: number;
	readonly clientSide: string;
	readonly nodeSide: string;
}

/** The client's SYN on its way to the node. */
export function clientsSyn(ruleset: Ruleset, passage: Passage): Walk {
	return walk(ruleset, { ...toNode(passage), packet: toService(passage, SYN), tracked: "new" });
}

/** The node's SYN-ACK on its way to the client. @param syn how the SYN came here */
export function nodesAnswer(ruleset: Ruleset, passage: Passage, syn: Walk): Walk {
	const { family, client, service, port, clientSide, nodeSide } = passage;
	return walk(ruleset, {
		direction: "through",
		interface: nodeSide,
		outInterface: clientSide,
		packet: {
			...{ family, protocol: "tcp", source: service, destination: client },
			...{ sourcePort: port, flags: SYN | ACK },
		},
		// What conntrack has not seen the beginning of is invalid, unless it is hidden as well.
		tracked: syn.state === "new" ? "established" : "invalid",
	});
}

/**
 * The client's second packet where the answer did not come this way: conntrack still waits for it, and calls an ACK in the
 * direction of the SYN invalid (net/netfilter/nf_conntrack_proto_tcp.c, tcp_conntracks).
 */
export function clientsAck(ruleset: Ruleset, passage: Passage): Walk {
	return walk(ruleset, { ...toNode(passage), packet: toService(passage, ACK), tracked: "invalid" });
}

/** Whether the client's packets get another source address on their way, so that the node answers the router. */
export function hidesClient({ hits }: Walk): boolean {
	return hits.some(({ effect, certain }) => certain && (effect === "masquerade" || effect === "snat"));
}

/** fw4's zone of an interface, by the rules of its chain `forward`: `iifname "br-iot" jump forward_iot` (ruleset.uc). */
export function zoneOfInterface({ tables }: Ruleset, device: string): string | undefined {
	const fw4 = tables.find(({ family, name }) => family === "inet" && name === "fw4");
	const journey = {
		direction: "through",
		interface: device,
		tracked: "new",
		packet: { family: 4, protocol: "tcp" },
	} as const;
	for (const { statements } of fw4?.chains.get("forward")?.rules ?? []) {
		const last = statements.at(-1);
		if (last?.kind !== "verdict" || !("target" in last.verdict)) continue;
		const zone = /^forward_(.+)$/.exec(last.verdict.target)?.[1];
		const fits = statements.every(
			(each) =>
				each.kind !== "match" ||
				matches(
					evaluate(each.left, { journey, hook: "forward", mark: 0, state: "new" }),
					each.relation,
					each.right,
					(name) => fw4?.sets.get(name),
				) === "yes",
		);
		if (zone !== undefined && fits) return zone;
	}
	return undefined;
}

function toNode({ clientSide, nodeSide }: Passage) {
	return { direction: "through", interface: clientSide, outInterface: nodeSide } as const;
}

function toService({ family, client, service, port }: Passage, flags: number): Packet {
	return { family, protocol: "tcp", source: client, destination: service, destinationPort: port, flags };
}
