import { concatenate } from "../../lib/lines.ts";

/** What a broker says first, with its flags. */
const CONNACK = 0x20;
const PUBLISH = 3;
/**
 * What a broker may send to a client that publishes at QoS 1 and subscribes at QoS 0 (MQTT 3.1.1, section 3): type and flags.
 * PUBREC, PUBREL and PUBCOMP belong to QoS 2.
 */
const ASKED: ReadonlyMap<number, string> = new Map([
	[2, "CONNACK"],
	[PUBLISH, "PUBLISH"],
	[4, "PUBACK"],
	[9, "SUBACK"],
	[11, "UNSUBACK"],
	[13, "PINGRESP"],
]);
const UNASKED: ReadonlyMap<number, string> = new Map([
	[5, "PUBREC"],
	[6, "PUBREL"],
	[7, "PUBCOMP"],
	[14, "DISCONNECT"],
	[15, "AUTH"],
]);
/** Of PUBLISH: QoS, and DUP, which QoS 0 has not. */
const QOS = 0x06;
const FLAGS = 0x0e;
const DUP = 0x08;
const RETAIN = 0x01;
/** What is left out costs this part of what is not. */
const SKIPPED = 16;

const NO_BROKER = "what answers there is no MQTT broker";

/**
 * How much a broker may send: so much at once, which covers all that it may hold of Home Assistant's devices, and then so much
 * a second. What is more is a flood, and costs the router's processor, whoever makes it.
 */
const MOST = { packets: 4000, bytes: 32 << 20 } as const;
const RATE = { packets: 50, bytes: 65_536 } as const;

/**
 * A retained message as if it had QoS 0, which nobody has to acknowledge (MQTT 3.1.1, section 3.3).
 * @param body topic with its length, packet id, payload
 * @returns undefined when it has no packet id
 */
function withoutQos(body: Uint8Array): Uint8Array[] | undefined {
	const topicEnd = 2 + (body[0] ?? 0) * 256 + (body[1] ?? 0);
	if (topicEnd + 2 > body.length) return undefined;
	const header = [(PUBLISH << 4) | RETAIN];
	let left = body.length - 2;
	do {
		header.push((left & 0x7f) | (left > 0x7f ? 0x80 : 0));
		left >>= 7;
	} while (left > 0);
	return [Uint8Array.from(header), body.subarray(0, topicEnd), body.subarray(topicEnd + 2)];
}

const NOBODY = "which nobody asked for";
/** The complaint about a broker that is to be left alone for a while. */
export const FLOOD = "the broker sends more than this router can deal with: left for a while";

/**
 * Follows the packet boundaries of what a broker sends (MQTT 3.1.1, section 2.2: one type byte, then the remaining
 * length in up to 4 bytes of 7 bits), so that a broker gone mad, or something else on that port, is noticed before
 * its bytes pile up in memory. Whatever was not asked for is a complaint. A message that is too long is left out.
 */
export class PacketGuard {
	/** Bytes of the current packet's body still to come. */
	private body = 0;
	private skipping = false;
	/** A message with a QoS that was not asked for, as far as it has come. */
	private collected: Uint8Array[] | undefined;
	/** Bytes of a header that is not complete yet. */
	private header: number[] = [];
	private first = true;
	private readonly left: { packets: number; bytes: number };
	private filledAt: number;

	/**
	 * @param limit bytes that the body of a packet may have
	 * @param expected packets that are expected at once besides
	 * @param now monotonic milliseconds
	 * @param onSkipped called when a message is left out, with its size in bytes
	 */
	constructor(
		private readonly limit: number,
		expected: number,
		private readonly now: () => number,
		private readonly onSkipped: (bytes: number) => void,
	) {
		this.left = { packets: MOST.packets + expected, bytes: MOST.bytes };
		this.most = { ...this.left };
		this.filledAt = now();
	}

	private readonly most: { readonly packets: number; readonly bytes: number };

	/** @returns whether the broker has sent more than it may */
	private spend(packets: number, bytes: number): boolean {
		this.left.packets -= packets;
		this.left.bytes -= bytes;
		if (this.left.packets >= 0 && this.left.bytes >= 0) return false;
		const seconds = (this.now() - this.filledAt) / 1000;
		this.filledAt = this.now();
		this.left.packets = Math.min(this.most.packets, this.left.packets + seconds * RATE.packets);
		this.left.bytes = Math.min(this.most.bytes, this.left.bytes + seconds * RATE.bytes);
		return this.left.packets < 0 || this.left.bytes < 0;
	}

	/** Takes the next chunk. @returns what is to be passed on, or what is wrong with it */
	push(chunk: Uint8Array): { readonly complaint?: string; readonly passed: readonly Uint8Array[] } {
		const passed: Uint8Array[] = [];
		// What is passed on as it came is passed on in one piece: each piece costs the stream more than its bytes.
		let whole = !this.isApart && this.header.length === 0;
		for (let index = 0; index < chunk.length; ) {
			if (this.body > 0) {
				const end = Math.min(index + this.body, chunk.length);
				const complaint = this.takeBody(chunk.subarray(index, end), passed);
				if (complaint !== undefined) return { complaint, passed };
				index = end;
				continue;
			}
			this.header.push(chunk[index++] ?? 0);
			const length = this.headerLength();
			if (typeof length === "string") return { complaint: length, passed };
			if (length === undefined) continue;
			if (this.spend(1, 0)) return { complaint: FLOOD, passed };
			const [type = 0] = this.header;
			this.skipping = length > this.limit;
			this.collected = undefined;
			if (this.skipping) {
				if (type >> 4 !== PUBLISH)
					return {
						complaint: `the broker sent ${length} bytes in one piece, more than ${this.limit}`,
						passed,
					};
				this.onSkipped(length);
			} else if (type >> 4 === PUBLISH && (type & QOS) !== 0) this.collected = [];
			else passed.push(Uint8Array.from(this.header));
			whole &&= !this.isApart;
			this.header = [];
			this.body = length;
		}
		if (whole && this.header.length === 0) return { passed: [chunk] };
		// A chunk that begins or ends in a header has hundreds of pieces.
		return { passed: passed.length > 1 ? [concatenate(passed)] : passed };
	}

	/** The present message is left out, or changed. */
	private get isApart(): boolean {
		return this.skipping || this.collected !== undefined;
	}

	/** @returns what is wrong with it */
	private takeBody(piece: Uint8Array, passed: Uint8Array[]): string | undefined {
		this.body -= piece.length;
		if (this.spend(0, this.skipping ? piece.length / SKIPPED : piece.length)) return FLOOD;
		if (this.skipping) return undefined;
		if (!this.collected) {
			passed.push(piece);
			return undefined;
		}
		this.collected.push(piece.slice());
		if (this.body > 0) return undefined;
		const plain = withoutQos(concatenate(this.collected));
		this.collected = undefined;
		if (!plain) return NO_BROKER;
		passed.push(...plain);
		return undefined;
	}

	/** Of the body, once the header is complete; or why this is no header. */
	private headerLength(): number | string | undefined {
		const [type = 0, ...digits] = this.header;
		if (this.header.length === 1) {
			const name = ASKED.get(type >> 4);
			if (this.first) {
				this.first = false;
				return type === CONNACK ? undefined : NO_BROKER;
			}
			// Aedes, Node-RED's broker, keeps the QoS of what it has retained where the subscription has a wildcard.
			if (type >> 4 === PUBLISH && (type & FLAGS) !== 0 && ((type & DUP) !== 0 || (type & RETAIN) === 0))
				return (type & QOS) === 0
					? NO_BROKER
					: `the broker sent a message of QoS ${(type & QOS) >> 1}, ${NOBODY}`;
			if (name !== undefined && name !== "CONNACK") return undefined;
			const unasked = name ?? UNASKED.get(type >> 4);
			return unasked === undefined ? NO_BROKER : `the broker sent ${unasked}, ${NOBODY}`;
		}
		if ((digits.at(-1) ?? 0) >= 0x80) return digits.length === 4 ? NO_BROKER : undefined;
		return digits.reduceRight((length, digit) => length * 128 + (digit & 0x7f), 0);
	}
}
