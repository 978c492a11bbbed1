/** Kinds of values in the configuration file: how each is read, and what an error says was expected. */

import { isHostAddress, parseAddress } from "../lib/address.ts";
import { reduceId } from "../lib/id.ts";
import { parsePrefix } from "../lib/prefix.ts";
import { oneLine } from "../lib/printable.ts";
import { didYouMean } from "../lib/suggest.ts";
import type { Mark } from "../model/config.ts";

export interface Kind<Value> {
	/** Completes "'abc' is not …". */
	readonly expected: string;
	/** Never shown in a message. */
	readonly secret?: boolean;
	/** The value, or undefined for a text that is none. Never gets an empty text. */
	read(text: string): Value | undefined;
	/** Appended to the message about a text that is none, e.g. ` (did you mean 'warn'?)`. */
	hint?(text: string): string;
}

/** What OpenWrt's config_get_bool (/lib/functions.sh) takes. */
export const yesOrNo: Kind<boolean> = {
	expected: "yes or no (1 or 0)",
	read(text) {
		if (["1", "on", "true", "yes", "enabled"].includes(text)) return true;
		if (["0", "off", "false", "no", "disabled"].includes(text)) return false;
		return undefined;
	},
};

/** A whole number in decimal digits; `what` as in "a number of seconds". */
export function wholeNumber(what: string, minimum: number, maximum: number): Kind<number> {
	return {
		expected: `${what} (${minimum} to ${maximum})`,
		read(text) {
			if (!/^[0-9]{1,10}$/.test(text)) return undefined;
			const value = Number(text);
			return value >= minimum && value <= maximum ? value : undefined;
		},
	};
}

/** A packet mark, decimal or hexadecimal as in nft, or `keep`. */
export const mark: Kind<Mark> = {
	expected: "a packet mark (0 to 0xffffffff) or 'keep'",
	read(text) {
		if (text === "keep") return text;
		if (!/^(?:0[xX][0-9a-fA-F]{1,8}|[0-9]{1,10})$/.test(text)) return undefined;
		const value = Number(text);
		return value <= 0xffffffff ? value : undefined;
	},
};

export function oneOf<Word extends string>(...words: readonly Word[]): Kind<Word> {
	return {
		expected: `one of ${words.join(", ")}`,
		read: (text) => words.find((word) => word === text),
		hint: (text) => didYouMean(text, words),
	};
}

/** Any text of one line. */
export function line(maximum: number, secret = false): Kind<string> {
	return {
		expected: `one line of at most ${maximum} characters, without control characters`,
		secret,
		read: (text) => (text.length <= maximum && !CONTROL.test(text) ? text : undefined),
	};
}

/** Reduced to what topics and entity ids may have, `[A-Za-z0-9_-]`. */
export function identifier(maximum: number): Kind<string> {
	return {
		expected: `a name with a letter or a digit, of at most ${maximum} characters`,
		read: (text) => (text.length <= maximum && /[A-Za-z0-9]/.test(text) ? reduceId(text) : undefined),
	};
}

/** A table name that nft takes without quotes and that is nobody else's. */
export function tableName(maximum: number): Kind<string> {
	return {
		expected: `an unused table name (a letter, then letters, digits and '_', at most ${maximum}; no word of nft's language)`,
		read(text) {
			const fits = /^[A-Za-z][A-Za-z0-9_]*$/.test(text) && text.length <= maximum;
			return fits && !TAKEN_TABLES.has(text) && !NFT_WORDS.has(text) ? text : undefined;
		},
	};
}

/** A symbol of BIRD: letters, digits and `_`; within quotes `-`, `.` and `:` as well (conf/cf-lex.l). */
export const birdName: Kind<string> = {
	expected: "a protocol name of BIRD (letters, digits, '_', '-', '.' and ':', at most 64)",
	read: (text) => (/^[A-Za-z0-9_.:-]{1,64}$/.test(text) ? text : undefined),
};

/** Canonical text, `%zone` included. */
export const hostAddress: Kind<string> = {
	expected: "the IPv4 or IPv6 address of one host (without a prefix length)",
	read: addressText,
};

/** Canonical text of more than one address. */
export const prefix: Kind<string> = {
	expected: "a prefix of several addresses (such as 192.168.1.0/24, without bits behind its length)",
	read(text) {
		const parsed = parsePrefix(text);
		return parsed && parsed.length < (parsed.family === 4 ? 32 : 128) ? parsed.text : undefined;
	},
};

/**
 * A password of TCP MD5: Linux takes 80 bytes (TCP_MD5SIG_MAXKEYLEN), FRR no blank, and what BIRD would end its text at, or
 * YAML and vtysh read as their own, is left out.
 */
export const md5Password: Kind<string> = {
	expected: "a password of 1 to 80 visible ASCII characters, without blanks and quotes",
	secret: true,
	read: (text) => (/^[!#-&(-[\]-~]{1,80}$/.test(text) ? text : undefined),
};

/** The name of a Kubernetes node: a DNS subdomain (RFC 1123). */
export const nodeName: Kind<string> = {
	expected: "the name of a Kubernetes node (small letters, digits, '-' and '.', at most 253)",
	read: (text) => (/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/.test(text) && text.length <= 253 ? text : undefined),
};

/** What BIRD takes between quotes and apostrophes (conf/cf-lex.l), and no program for an option; Linux takes more. */
export const interfaceName: Kind<string> = {
	expected: "the name of a network interface (letters, digits, '_', '-' and '.', at most 15)",
	read: (text) => (/^\w[\w.-]{0,14}$/.test(text) ? text : undefined),
};

/** The name of a firewall zone as fw4.uc's parse_identifier takes it. */
export function zoneName(maximum: number): Kind<string> {
	return {
		expected: `the name of a zone of /etc/config/firewall (letters, digits, '_', '.', '-' and '/', at most ${maximum})`,
		read: (text) => (/^[A-Za-z_.][A-Za-z0-9/_.-]*$/.test(text) && text.length <= maximum ? text : undefined),
	};
}

/** A host name (RFC 1123, underscores allowed) or an IP address; never anything nc could take for an option. */
export const hostOrAddress: Kind<string> = {
	expected: "a host name or an IP address (the port has an option of its own)",
	read(text) {
		if (parseAddress(text)) return addressText(text);
		// A last label of digits is a mistyped address, never a name (RFC 1123 section 2.1).
		const name =
			/^([A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\.)*[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\.?$/;
		return text.length <= 253 && name.test(text) && !/(^|\.)[0-9]+\.?$/.test(text) ? text : undefined;
	},
};

export function absolutePath(maximum: number): Kind<string> {
	return {
		expected: `an absolute path (at most ${maximum} characters)`,
		read: (text) =>
			text.startsWith("/") && !text.endsWith("/") && text.length <= maximum && oneLine(text) === text
				? text
				: undefined,
	};
}

/** The beginning of MQTT topics; `$` is the broker's own (MQTT 3.1.1 section 4.7.2). */
export function topicPrefix(maximum: number): Kind<string> {
	return {
		expected: `the beginning of a topic (no '+', '#', spaces, leading '$', and no '/' at either end or twice)`,
		read(text) {
			const bad = text.length > maximum || CONTROL.test(text) || /[+#\s]|^\$|^\/|\/$|\/\//.test(text);
			return bad ? undefined : text;
		},
	};
}

/** Undefined for what no host has, and for a zone that is no `interfaceName`. */
function addressText(text: string): string | undefined {
	const address = parseAddress(text);
	if (!address || !isHostAddress(address)) return undefined;
	const { text: plain, zone } = address;
	if (zone === undefined) return plain;
	return interfaceName.read(zone) && `${plain}%${zone}`;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: no value may have them
const CONTROL = /[\x00-\x1f\x7f-\x9f]/;

/** OpenWrt's own firewall. */
const TAKEN_TABLES: ReadonlySet<string> = new Set(["fw4"]);

/** Words that nft 1.1.3 refuses as a table's name, tried one by one; it says so itself where this list is short. */
const NFT_WORDS: ReadonlySet<string> = new Set(
	(
		"accept add ah and arp bridge chain comment continue counter cpu create ct define delete describe " +
		"destroy device dnat drop dup ecn element elements eq ether exists expires export fib flags flow " +
		"flowtable flush fwd ge geneve get goto gretap gt handle hook hour ibriport ibrname icmp icmpv6 iif " +
		"iifgroup iifname iiftype import include index inet insert ip ip6 jhash jump le limit list log lt " +
		"map mark masquerade meta meter missing monitor ne netdev nftrace not notrack obriport obrname oif " +
		"oifgroup oifname oiftype or osf policy position priority queue quota redefine redirect reject " +
		"rename replace reset return rt rt0 rt2 rtclassid rule ruleset sctp set size skgid snat socket srh " +
		"symhash synproxy table tcp th timeout tproxy type typeof udp undefine update vlan vmap vni vxlan " +
		"xor xt"
	).split(" "),
);
