/** MQTT 3.1.1 as bytes, right and wrong. */

/** The remaining length: 7 bits a byte, the lowest first (MQTT 3.1.1, section 2.2.3). */
function encodedLength(length: number): Buffer {
	const bytes: number[] = [];
	let rest = length;
	do {
		const digit = rest % 128;
		rest = Math.floor(rest / 128);
		bytes.push(rest > 0 ? digit | 0x80 : digit);
	} while (rest > 0);
	return Buffer.from(bytes);
}

/** @param first type and flags */
export function packet(first: number, body: Uint8Array = Buffer.alloc(0)): Buffer {
	return Buffer.concat([Buffer.from([first]), encodedLength(body.length), body]);
}

export function twoBytes(value: number): Buffer {
	return Buffer.from([(value >> 8) & 0xff, value & 0xff]);
}

export function withLength(text: string | Uint8Array): Buffer {
	const bytes = Buffer.from(text);
	return Buffer.concat([twoBytes(bytes.length), bytes]);
}

export interface PublishOptions {
	readonly retain?: boolean;
	/** 3 is none of MQTT's. */
	readonly qos?: 0 | 1 | 2 | 3;
	readonly id?: number;
}

export function publish(
	topic: string | Uint8Array,
	payload: string | Uint8Array,
	{ retain = false, qos = 0, id = 1 }: PublishOptions = {},
): Buffer {
	const first = 0x30 | (qos << 1) | (retain ? 1 : 0);
	return packet(
		first,
		Buffer.concat([withLength(topic), ...(qos > 0 ? [twoBytes(id)] : []), Buffer.from(payload)]),
	);
}

export function connect(clientId: string): Buffer {
	return packet(0x10, Buffer.concat([withLength("MQTT"), Buffer.from([4, 2, 0, 0]), withLength(clientId)]));
}

/** Types of packets (MQTT 3.1.1, table 2.1). */
export const TYPE = {
	connect: 1,
	connack: 2,
	publish: 3,
	puback: 4,
	subscribe: 8,
	unsubscribe: 10,
	pingreq: 12,
	disconnect: 14,
} as const;

export interface Packet {
	readonly type: number;
	readonly flags: number;
	readonly body: Buffer;
}

/** Cuts a stream of bytes into packets. */
export class PacketReader {
	private rest: Buffer = Buffer.alloc(0);

	constructor(private readonly onPacket: (packet: Packet) => void) {}

	push(chunk: Buffer): void {
		this.rest = Buffer.concat([this.rest, chunk]);
		for (;;) {
			const header = this.header();
			if (header === undefined || this.rest.length < header.start + header.length) return;
			const first = this.rest[0] ?? 0;
			const body = this.rest.subarray(header.start, header.start + header.length);
			this.rest = this.rest.subarray(header.start + header.length);
			this.onPacket({ type: first >> 4, flags: first & 0x0f, body });
		}
	}

	private header(): { start: number; length: number } | undefined {
		let length = 0;
		for (let index = 1; index <= 4; index++) {
			const digit = this.rest[index];
			if (digit === undefined) return undefined;
			length += (digit & 0x7f) * 128 ** (index - 1);
			if (digit < 0x80) return { start: index + 1, length };
		}
		throw new Error("a length of more than 4 bytes");
	}
}

/** The parts of a PUBLISH. */
export function parsePublish({ flags, body }: Packet): {
	topic: string;
	payload: Buffer;
	id: number | undefined;
	retain: boolean;
} {
	const end = 2 + body.readUInt16BE(0);
	const hasId = (flags & 0x06) !== 0;
	return {
		topic: body.subarray(2, end).toString(),
		payload: body.subarray(end + (hasId ? 2 : 0)),
		id: hasId ? body.readUInt16BE(end) : undefined,
		retain: (flags & 1) !== 0,
	};
}

/** The topics of a SUBSCRIBE or UNSUBSCRIBE. */
export function parseTopics({ type, body }: Packet): { id: number; topics: string[] } {
	const topics: string[] = [];
	for (let at = 2; at < body.length; ) {
		const end = at + 2 + body.readUInt16BE(at);
		topics.push(body.subarray(at + 2, end).toString());
		at = type === TYPE.subscribe ? end + 1 : end;
	}
	return { id: body.readUInt16BE(0), topics };
}
