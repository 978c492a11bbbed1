/** What a broker says first, with its flags. */
const CONNACK = 0x20;
/** CONNACK, PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP, SUBACK, UNSUBACK, PINGRESP (MQTT 3.1.1, table 2.1). */
const BROKER_PACKETS: ReadonlySet<number> = new Set([2, 3, 4, 5, 6, 7, 9, 11, 13]);

/**
 * Follows the packet boundaries of what a broker sends (MQTT 3.1.1, section 2.2: one type byte, then the remaining
 * length in up to 4 bytes of 7 bits), so that a broker gone mad, or something else on that port, is noticed before
 * its bytes pile up in memory.
 */
export class PacketGuard {
	/** Bytes of the current packet's body still to come. */
	private body = 0;
	/** Bytes of the current packet's header seen; 0 between packets. */
	private header = 0;
	private length = 0;
	private first = true;

	/** @param limit bytes that the body of a packet may have */
	constructor(private readonly limit: number) {}

	/** Takes the next chunk; says what is wrong with it, or nothing. */
	push(chunk: Uint8Array): string | undefined {
		for (let index = 0; index < chunk.length; ) {
			if (this.body > 0) {
				const count = Math.min(this.body, chunk.length - index);
				this.body -= count;
				index += count;
				continue;
			}
			const complaint = this.takeHeaderByte(chunk[index++] ?? 0);
			if (complaint) return complaint;
		}
		return undefined;
	}

	private takeHeaderByte(byte: number): string | undefined {
		if (this.header === 0) {
			const expected = this.first ? byte === CONNACK : BROKER_PACKETS.has(byte >> 4);
			if (!expected) return "what answers there is no MQTT broker";
			this.first = false;
			this.header = 1;
			this.length = 0;
			return undefined;
		}
		this.length += (byte & 0x7f) * 128 ** (this.header - 1);
		if (byte >= 0x80) {
			this.header++;
			return this.header > 4 ? "what answers there is no MQTT broker" : undefined;
		}
		this.header = 0;
		this.body = this.length;
		return this.length > this.limit
			? `the broker sent a message of ${this.length} bytes, more than ${this.limit}`
			: undefined;
	}
}
