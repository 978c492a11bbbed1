/** What a broker says first, with its flags. */
const CONNACK = 0x20;
const PUBLISH = 3;
/** CONNACK, PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP, SUBACK, UNSUBACK, PINGRESP (MQTT 3.1.1, table 2.1). */
const BROKER_PACKETS: ReadonlySet<number> = new Set([2, 3, 4, 5, 6, 7, 9, 11, 13]);

const NO_BROKER = "what answers there is no MQTT broker";

/**
 * Follows the packet boundaries of what a broker sends (MQTT 3.1.1, section 2.2: one type byte, then the remaining
 * length in up to 4 bytes of 7 bits), so that a broker gone mad, or something else on that port, is noticed before
 * its bytes pile up in memory. A message that is too long is left out, if it asks for no acknowledgement.
 */
export class PacketGuard {
	/** Bytes of the current packet's body still to come. */
	private body = 0;
	private skipping = false;
	/** Bytes of a header that is not complete yet. */
	private header: number[] = [];
	private first = true;

	/**
	 * @param limit bytes that the body of a packet may have
	 * @param onSkipped called when a message is left out, with its size in bytes
	 */
	constructor(
		private readonly limit: number,
		private readonly onSkipped: (bytes: number) => void,
	) {}

	/** Takes the next chunk. @returns what is to be passed on, or what is wrong with it */
	push(chunk: Uint8Array): { readonly complaint?: string; readonly passed: readonly Uint8Array[] } {
		const passed: Uint8Array[] = [];
		let whole = !this.skipping && this.header.length === 0;
		for (let index = 0; index < chunk.length; ) {
			if (this.body > 0) {
				const end = Math.min(index + this.body, chunk.length);
				if (!this.skipping) passed.push(chunk.subarray(index, end));
				this.body -= end - index;
				index = end;
				continue;
			}
			this.header.push(chunk[index++] ?? 0);
			const length = this.headerLength();
			if (typeof length === "string") return { complaint: length, passed };
			if (length === undefined) continue;
			const [type = 0] = this.header;
			this.skipping = length > this.limit;
			if (this.skipping) {
				// A message with QoS 1 or 2 that is never acknowledged would come again.
				if (type >> 4 !== PUBLISH || (type & 0x06) !== 0)
					return {
						complaint: `the broker sent ${length} bytes in one piece, more than ${this.limit}`,
						passed,
					};
				this.onSkipped(length);
				whole = false;
			} else passed.push(Uint8Array.from(this.header));
			this.header = [];
			this.body = length;
		}
		return { passed: whole && this.header.length === 0 ? [chunk] : passed };
	}

	/** Of the body, once the header is complete; or why this is no header. */
	private headerLength(): number | string | undefined {
		const [type = 0, ...digits] = this.header;
		if (this.header.length === 1) {
			if (this.first ? type !== CONNACK : !BROKER_PACKETS.has(type >> 4)) return NO_BROKER;
			this.first = false;
			return undefined;
		}
		if ((digits.at(-1) ?? 0) >= 0x80) return digits.length === 4 ? NO_BROKER : undefined;
		return digits.reduceRight((length, digit) => length * 128 + (digit & 0x7f), 0);
	}
}
