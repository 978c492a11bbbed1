import type { TracedPacket } from "../../model/packet-trace.ts";

/** This many packets of strangers within `within` ms leave little of the limit of the table's traces (10 a second). */
const FLOOD = { packets: 16, within: 2000 } as const;
/** Milliseconds between two times at which it is told. */
const APART = 10_000;

/** Milliseconds between two tries of one host that are told, and of any hosts; how many hosts are remembered for that. */
const DIALS = { apart: 10_000, hosts: 32, any: 5000 } as const;

/** Counts packets of hosts that are no peers. */
export class Strangers {
	private times: number[] = [];
	private toldAt = Number.NEGATIVE_INFINITY;

	private readonly dialed = new Map<string, number>();
	private dialToldAt = Number.NEGATIVE_INFINITY;

	/** @param now monotonic milliseconds @returns whether this is a SYN to BGP's port that is to be told */
	dials({ source, flags, destinationPort }: TracedPacket, ports: readonly number[], now: number): boolean {
		if (!flags.includes("syn") || flags.includes("ack") || !ports.includes(destinationPort)) return false;
		if (now - this.dialToldAt < DIALS.any) return false;
		if (now - (this.dialed.get(source) ?? Number.NEGATIVE_INFINITY) < DIALS.apart) return false;
		this.dialToldAt = now;
		this.dialed.delete(source);
		this.dialed.set(source, now);
		for (const [oldest] of this.dialed) {
			if (this.dialed.size <= DIALS.hosts) break;
			this.dialed.delete(oldest);
		}
		return true;
	}

	/** Another one was traced. @param now monotonic milliseconds @returns whether they are so many that it is to be told */
	packet(now: number): boolean {
		this.times.push(now);
		if (this.times.length > FLOOD.packets) this.times.shift();
		const [first = now] = this.times;
		if (this.times.length < FLOOD.packets || now - first > FLOOD.within || now - this.toldAt < APART)
			return false;
		this.toldAt = now;
		return true;
	}
}
