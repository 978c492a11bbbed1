/** IP addresses as text: parsing, one canonical form, family and zone. No prefixes, no host names. */

export interface Address {
	readonly family: 4 | 6;
	/** Canonical text without the zone: dotted decimal, or RFC 5952 section 4. Equal addresses are equal texts. */
	readonly text: string;
	/** Interface after `%` (RFC 4007), IPv6 only. */
	readonly zone?: string;
	/** 4 or 16 bytes, in network order. */
	readonly bytes: readonly number[];
}

/** 15 bytes at most (IFNAMSIZ - 1). */
const INTERFACE_NAME = /^[!-$&-.0-9;-~]{1,15}$/;

/** An IPv4 or IPv6 address, or undefined when the text is anything else. Never throws. */
export function parseAddress(text: string): Address | undefined {
	if (text.length > 64) return undefined;
	const percent = text.indexOf("%");
	const plain = percent < 0 ? text : text.slice(0, percent);
	if (!plain.includes(":")) {
		const bytes = percent < 0 ? parseIpv4(plain) : undefined;
		return bytes && { family: 4, text: bytes.join("."), bytes };
	}
	const bytes = parseIpv6(plain);
	if (!bytes) return undefined;
	const address: Address = { family: 6, text: formatIpv6(bytes), bytes };
	if (percent < 0) return address;
	const zone = text.slice(percent + 1);
	return isInterfaceName(zone) ? { ...address, zone } : undefined;
}

/** The IPv4 address inside an IPv4-mapped one (`::ffff:192.0.2.1`, RFC 4291 section 2.5.5.2); any other as it is. */
export function unmapped(address: Address): Address {
	const { text, bytes } = address;
	return text.startsWith("::ffff:") && text.includes(".")
		? { family: 4, text: text.slice(7), bytes: bytes.slice(12) }
		: address;
}

/** Whether Linux would take the name for a network interface (net/core/dev.c, dev_valid_name). */
export function isInterfaceName(name: string): boolean {
	return INTERFACE_NAME.test(name) && name !== "." && name !== "..";
}

/** fe80::/10: means nothing without an interface. */
export function isLinkLocal(address: Address): boolean {
	const [first = 0, second = 0] = address.bytes;
	return address.family === 6 && first === 0xfe && (second & 0xc0) === 0x80;
}

/** Whether one host can have the address: not unspecified, not multicast, not 240.0.0.0/4. */
export function isHostAddress(address: Address): boolean {
	const [first = 0] = address.bytes;
	if (address.family === 4) return first !== 0 && first < 224;
	return first !== 0xff && address.bytes.some((byte) => byte !== 0);
}

function parseIpv4(text: string): number[] | undefined {
	const parts = text.split(".");
	if (parts.length !== 4) return undefined;
	// No leading zeros: some programs would read them as octal.
	const bytes = parts.map((part) => (/^(0|[1-9][0-9]{0,2})$/.test(part) ? Number(part) : 256));
	return bytes.every((byte) => byte < 256) ? bytes : undefined;
}

function parseIpv6(text: string): number[] | undefined {
	const halves = text.split("::");
	if (halves.length > 2) return undefined;
	const [left, right] = halves.map((half) => (half === "" ? [] : parseGroups(half)));
	if (!left) return undefined;
	if (halves.length === 1) return left.length === 16 ? left : undefined;
	// A dotted quad only makes sense at the very end.
	if (!right || halves[0]?.includes(".")) return undefined;
	const missing = 16 - left.length - right.length;
	return missing >= 2 ? [...left, ...new Array<number>(missing).fill(0), ...right] : undefined;
}

function parseGroups(text: string): number[] | undefined {
	const bytes: number[] = [];
	const groups = text.split(":");
	for (const [index, group] of groups.entries()) {
		if (/^[0-9a-fA-F]{1,4}$/.test(group)) {
			const value = Number.parseInt(group, 16);
			bytes.push(value >> 8, value & 0xff);
			continue;
		}
		const quad = index === groups.length - 1 ? parseIpv4(group) : undefined;
		if (!quad) return undefined;
		bytes.push(...quad);
	}
	return bytes;
}

function formatIpv6(bytes: readonly number[]): string {
	const groups = Array.from(
		{ length: 8 },
		(_, index) => ((bytes[index * 2] ?? 0) << 8) | (bytes[index * 2 + 1] ?? 0),
	);
	// RFC 5952 section 5: IPv4-mapped addresses keep their dotted quad.
	if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff)
		return `::ffff:${bytes.slice(12).join(".")}`;
	let start = -1;
	let length = 1;
	for (let index = 0; index < 8; index++) {
		let end = index;
		while (end < 8 && groups[end] === 0) end++;
		if (end - index > length) {
			start = index;
			length = end - index;
		}
	}
	const hex = groups.map((group) => group.toString(16));
	if (start < 0) return hex.join(":");
	return `${hex.slice(0, start).join(":")}::${hex.slice(start + length).join(":")}`;
}

/** `fe80::1%wg0`: every link has the same link-local addresses. @param text canonical, without a zone */
export function withZone(text: string, zone: string | undefined): string {
	return zone !== undefined && /^fe[89ab]/i.test(text) ? `${text}%${zone}` : text;
}
