import type { Hop, PacketTrace, TcpFlag, TracedPacket } from "../../../src/model/packet-trace.ts";
import { statusOf } from "../../../src/warden/status.ts";
import { peer, reading, Story, type TestPeer } from "../story.ts";

export const PEER = "192.168.1.2";
export const ROUTER = "192.168.1.1";
export const identity = { version: "1", router: "r", pid: 1 };
export const known = { neighborAddress: PEER, neighborAs: 65009, localAs: 65001 };
export const passive = peer({
	...known,
	state: "Passive",
	protocolState: "start",
	bfd: "down",
	bfdMode: "multihop",
});
export const established = peer(known);

export const accept: Hop = {
	family: "inet",
	table: "custom_bgp",
	chain: "raw_pre",
	verdict: "accept",
	policy: true,
};
export const at = (table: string, chain: string, rule: string, verdict: string): Hop => ({
	family: "inet",
	table,
	chain,
	rule,
	verdict,
});

export function packet(flags: readonly TcpFlag[], fromPeer: boolean, port = 40000): TracedPacket {
	return fromPeer
		? { protocol: "tcp", source: PEER, destination: ROUTER, sourcePort: port, destinationPort: 179, flags }
		: { protocol: "tcp", source: ROUTER, destination: PEER, sourcePort: 179, destinationPort: port, flags };
}

let ids = 0;
export function trace(story: Story, what: TracedPacket, ...hops: Hop[]): PacketTrace {
	return { id: String(ids++), at: story.time, packet: what, hops: [accept, ...hops] };
}

/** A warden that has read these peers, its table in place. */
export function read(...peers: TestPeer[]): Story {
	const story = Story.kept();
	story.happens({ type: "watch_started" }, { type: "bird_up", version: "3.1.8" }, reading(...peers));
	return story;
}

export function seen(story: Story, ...traces: PacketTrace[]) {
	return story.happens({ type: "packets_traced", traces });
}

/** BIRD is read a moment later, as it is after a handshake. */
export function readAgain(story: Story, ...peers: Parameters<typeof reading>) {
	story.passes(1000);
	return story.happens(reading(...peers));
}

export function told(story: Story) {
	const [shown] = statusOf(story.state, identity).peers;
	return shown;
}
