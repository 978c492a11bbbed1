/** UTF-8 without TextEncoder and TextDecoder, which QuickJS does not have. */

/** Code units converted in one call: more would overflow the argument stack. */
const PIECE = 4096;

/** Bytes that are not UTF-8 from which on no other is either: garbage is not worth the time that each byte takes. */
const MOST_BAD = 1024;

const ASCII = /[\0-\x7f]*/y;

/** Characters looked at in one go: QuickJS of 2026 remembers each one that a repetition has taken, in 24 bytes. */
const LOOK = 16_384;

/** Bytes to text; bytes that are not UTF-8 become U+FFFD, one each; beyond the 1,024th of them, so does every byte over 0x7f. */
export function decodeUtf8(bytes: Uint8Array): string {
	const plain = fromCodeUnits(bytes);
	// A loop of the engine's own: one in JavaScript takes at least twice as long, and so does a search for the first high character.
	let firstHigh = 0;
	do {
		ASCII.lastIndex = 0;
		ASCII.test(plain.slice(firstHigh, firstHigh + LOOK));
		firstHigh += ASCII.lastIndex;
	} while (ASCII.lastIndex === LOOK);
	if (firstHigh === plain.length) return plain;
	const units = new Uint16Array(bytes.length - firstHigh);
	let end = 0;
	let bad = 0;
	for (let index = firstHigh; index < bytes.length; ) {
		let point = bytes[index] ?? 0;
		if (bad > MOST_BAD) {
			units[end++] = point < 0x80 ? point : 0xfffd;
			index++;
			continue;
		}
		const length = sequenceLength(bytes, index);
		if (length > 1) {
			point &= 0x7f >> length;
			for (let offset = 1; offset < length; offset++)
				point = (point << 6) | ((bytes[index + offset] ?? 0) & 0x3f);
		}
		if (length === 0) {
			bad++;
			units[end++] = 0xfffd;
		} else if (point < 0x10000) units[end++] = point;
		else {
			units[end++] = 0xd800 + ((point - 0x10000) >> 10);
			units[end++] = 0xdc00 + (point & 0x3ff);
		}
		index += length || 1;
	}
	return plain.slice(0, firstHigh) + fromCodeUnits(units.subarray(0, end));
}

/** Text to bytes; a lone surrogate becomes U+FFFD. */
export function encodeUtf8(text: string): Uint8Array {
	const { length } = text;
	const plain = new Uint8Array(length);
	let first = 0;
	for (; first < length; first++) {
		const unit = text.charCodeAt(first);
		if (unit >= 0x80) break;
		plain[first] = unit;
	}
	// Most texts are ASCII and done.
	if (first === length) return plain;
	const bytes = new Uint8Array(first + (length - first) * 3);
	bytes.set(plain.subarray(0, first));
	let end = first;
	for (let index = first; index < length; index++) {
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

function fromCodeUnits(units: Uint8Array | Uint16Array): string {
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
