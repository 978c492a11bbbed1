/** This many packets of strangers within `within` ms leave little of the limit of the table's traces (10 a second). */
const FLOOD = { packets: 16, within: 2000 } as const;
/** Milliseconds between two times at which it is told. */
const APART = 10_000;

/** Counts packets of hosts that are no peers. */
export class Strangers {
	private times: number[] = [];
	private toldAt = Number.NEGATIVE_INFINITY;

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
