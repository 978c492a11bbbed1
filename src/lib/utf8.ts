/** UTF-8 without TextEncoder and TextDecoder, which QuickJS does not have. */

/** Code units converted in one call: more would overflow the argument stack. */
const PIECE = 4096;

/** Bytes to text; bytes that are not UTF-8 become U+FFFD, one each. */
export function decodeUtf8(bytes: Uint8Array): string {
	// The engine's own search: a megabyte of listing costs a loop in JavaScript ten times as much.
	const plain = fromCodeUnits(bytes);
	const firstHigh = plain.search(/[\x80-\xff]/);
	if (firstHigh < 0) return plain;
	const units: number[] = [];
	for (let index = firstHigh; index < bytes.length; ) {
		const length = sequenceLength(bytes, index);
		let point = bytes[index] ?? 0;
		if (length > 1) {
			point &= 0x7f >> length;
			for (let offset = 1; offset < length; offset++)
				point = (point << 6) | ((bytes[index + offset] ?? 0) & 0x3f);
		}
		if (length === 0) units.push(0xfffd);
		else if (point < 0x10000) units.push(point);
		else units.push(0xd800 + ((point - 0x10000) >> 10), 0xdc00 + (point & 0x3ff));
		index += length || 1;
	}
	return plain.slice(0, firstHigh) + fromCodeUnits(units);
}

/** Text to bytes; a lone surrogate becomes U+FFFD. */
export function encodeUtf8(text: string): Uint8Array {
	const bytes = new Uint8Array(text.length * 3);
	let end = 0;
	for (let index = 0; index < text.length; index++) {
		let point = text.charCodeAt(index);
		if (point >= 0xd800 && point < 0xe000) {
			const low = text.charCodeAt(index + 1);
			if (point < 0xdc00 && low >= 0xdc00 && low < 0xe000) {
				point = 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00);
				index++;
			} else point = 0xfffd;
		}
		if (point < 0x80) bytes[end++] = point;
		else {
			if (point < 0x800) bytes[end++] = 0xc0 | (point >> 6);
			else {
				if (point < 0x10000) bytes[end++] = 0xe0 | (point >> 12);
				else {
					bytes[end++] = 0xf0 | (point >> 18);
					bytes[end++] = 0x80 | ((point >> 12) & 0x3f);
				}
				bytes[end++] = 0x80 | ((point >> 6) & 0x3f);
			}
			bytes[end++] = 0x80 | (point & 0x3f);
		}
	}
	return bytes.slice(0, end);
}

function fromCodeUnits(units: Uint8Array | number[]): string {
	let text = "";
	for (let start = 0; start < units.length; start += PIECE) {
		// An array-like is all that apply needs, and a view spares a copy.
		text += String.fromCharCode.apply(null, units.slice(start, start + PIECE) as unknown as number[]);
	}
	return text;
}

/** Bytes of the well-formed sequence (RFC 3629, section 4) at `index`, or 0. */
function sequenceLength(bytes: Uint8Array, index: number): number {
	const lead = bytes[index] ?? 0;
	if (lead < 0x80) return 1;
	const length = lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
	const second = bytes[index + 1] ?? 0;
	// Overlong forms, surrogates and points beyond U+10FFFF all show in the second byte.
	if (lead === 0xe0 && second < 0xa0) return 0;
	if (lead === 0xed && second >= 0xa0) return 0;
	if (lead === 0xf0 && second < 0x90) return 0;
	if (lead === 0xf4 && second >= 0x90) return 0;
	for (let offset = 1; offset < length; offset++) {
		if (((bytes[index + offset] ?? 0) & 0xc0) !== 0x80) return 0;
	}
	return length;
}
