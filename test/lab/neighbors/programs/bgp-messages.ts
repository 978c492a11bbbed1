/** BGP-4 as bytes (RFC 4271, section 4), as far as these plays speak it. */

const TYPE = { open: 1, update: 2, notification: 3, keepalive: 4 } as const;
/** Bytes of marker, length and type. */
const HEADER = 19;
/** Prefixes of 32 bits that fit into one message of 4,096 bytes with the attributes below. */
export const PREFIXES_PER_UPDATE = 780;

function message(type: number, body: Buffer = Buffer.alloc(0)): Buffer {
	const header = Buffer.alloc(HEADER, 0xff);
	header.writeUInt16BE(HEADER + body.length, 16);
	header.writeUInt8(type, 18);
	return Buffer.concat([header, body]);
}

const address = (text: string) => Buffer.from(text.split(".").map(Number));
const short = (value: number) => Buffer.from([value >> 8, value & 255]);

/** @param hostname announced as the host name (draft-walton-bgp-hostname-capability) */
export function open(as: number, routerId: string, hostname?: string): Buffer {
	// Multiprotocol, IPv4 unicast (RFC 4760), as an optional parameter (RFC 5492)
	const multiprotocol = Buffer.from([2, 6, 1, 4, 0, 1, 0, 1]);
	const name = Buffer.from(hostname ?? "").subarray(0, 200);
	const named = Buffer.from([2, name.length + 4, 73, name.length + 2, name.length, ...name, 0]);
	const capabilities = hostname === undefined ? multiprotocol : Buffer.concat([multiprotocol, named]);
	return message(
		TYPE.open,
		Buffer.concat([
			...[Buffer.from([4]), short(as), short(90), address(routerId)],
			...[Buffer.from([capabilities.length]), capabilities],
		]),
	);
}

export const keepalive = message(TYPE.keepalive);

/** Cease, administrative shutdown, with its text (RFC 9003: up to 255 bytes). */
export function shutdown(text: string): Buffer {
	const bytes = Buffer.from(text).subarray(0, 255);
	return message(TYPE.notification, Buffer.concat([Buffer.from([6, 2, bytes.length]), bytes]));
}

/** Host routes from this one on, whose number counts up from 10.0.0.0. */
function prefixes(first: number, count: number): Buffer {
	const bytes = Buffer.alloc(count * 5);
	for (let index = 0; index < count; index++) {
		bytes.writeUInt8(32, index * 5);
		bytes.writeUInt32BE(0x0a000000 + first + index, index * 5 + 1);
	}
	return bytes;
}

export function announce(first: number, count: number, as: number, nextHop: string): Buffer {
	const attributes = Buffer.concat([
		Buffer.from([0x40, 1, 1, 0]),
		Buffer.concat([Buffer.from([0x40, 2, 4, 2, 1]), short(as)]),
		Buffer.concat([Buffer.from([0x40, 3, 4]), address(nextHop)]),
	]);
	return message(
		TYPE.update,
		Buffer.concat([short(0), short(attributes.length), attributes, prefixes(first, count)]),
	);
}

export function withdraw(first: number, count: number): Buffer {
	const withdrawn = prefixes(first, count);
	return message(TYPE.update, Buffer.concat([short(withdrawn.length), withdrawn, short(0)]));
}
