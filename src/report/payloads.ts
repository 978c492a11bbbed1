import type { MqttConfig } from "../config/types.ts";
import { peerDiscovery, routerDiscovery } from "./discovery.ts";
import type { PeerStatus, RouterStatus, Status } from "./status.ts";
import { peerIds, type Topics } from "./topics.ts";

/**
 * Every retained message of a router, topic to payload, in the order in which they are to be published after a
 * connection: discovery, availability, states. Home Assistant may miss a state whose entity it does not know yet.
 */
export function retainedMessages(config: MqttConfig, topics: Topics, status: Status): Map<string, string> {
	const { router, peers } = status;
	const ids = peerIds(peers.map(({ name }) => name));
	const known = peers.map((peer) => ({ peer, topics: topics.peer(ids.get(peer.name) ?? "_") }));
	const messages = new Map<string, string>();
	if (config.discovery) {
		messages.set(topics.discovery, JSON.stringify(routerDiscovery(topics, router.version)));
		for (const { peer, topics: own } of known) {
			messages.set(own.discovery, JSON.stringify(peerDiscovery(topics, own, peer.name, router.version)));
		}
	}
	messages.set(topics.availability, "online");
	for (const { topics: own } of known) {
		messages.set(own.availability, router.bird.reachable ? "online" : "offline");
	}
	messages.set(topics.state, JSON.stringify(routerPayload(router)));
	for (const { peer, topics: own } of known) messages.set(own.state, JSON.stringify(peerPayload(peer)));
	return messages;
}

/** The router's state as published; what is absent in the status is absent here. */
function routerPayload(router: RouterStatus) {
	const { version, started, protection, repairs, last_repair, flushed, bird, problem, diagnosis } = router;
	const { explanation } = router;
	return {
		version,
		started,
		protection,
		repairs,
		last_repair,
		flushed,
		bird,
		problem,
		diagnosis,
		explanation,
	};
}

function peerPayload(peer: PeerStatus) {
	const { name, neighbor_address, neighbor_as, local_as, state, since, bfd } = peer;
	const { imported, exported, preferred, flaps, last_error } = peer;
	const { diagnosis, explanation, evidence, remedy, tried } = peer;
	return {
		...{ name, neighbor_address, neighbor_as, local_as, state, since, bfd },
		...{ imported, exported, preferred, flaps, last_error },
		...{ diagnosis, explanation, evidence, remedy, tried },
	};
}
