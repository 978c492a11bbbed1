import { type Address, parseAddress } from "../../../src/lib/address.ts";
import { type Line, LineSplitter } from "../../../src/lib/lines.ts";
import { type Prefix, parsePrefix, prefixContains } from "../../../src/lib/prefix.ts";
import { printable } from "../../../src/lib/printable.ts";
import { didYouMean } from "../../../src/lib/suggest.ts";
import { parseUci, type UciError, type UciOption, type UciSection } from "../../../src/lib/uci.ts";
import { decodeUtf8, encodeUtf8 } from "../../../src/lib/utf8.ts";
import { captures, pieces } from "../captures.ts";
import { type Parser, parser } from "../parser.ts";
import * as is from "../values.ts";

const ADDRESSES = [
	...[
		"192.168.1.2",
		"fe80::1%br-lan",
		"::ffff:1.2.3.4",
		"2001:db8:0:0:1:0:0:1",
		"::",
		"fd00:1::10:2",
		"0.0.0.0",
	],
	...["1:2:3:4:5:6:7:8", "1:2:3:4:5:6:1.2.3.4", "FE80::211:22FF:FE33:4455%eth0.1"],
];
const PREFIXES = ["10.0.0.0/8", "fd00::/48", "0.0.0.0/0", "::/0", "192.168.1.2", "fd00::2/128"];
export const UCI = captures("uci", /\.txt$/);
export const UCI_PIECES = pieces(UCI, 4);

/** Bytes, one for each character. */
export function bytesOf(text: string): Uint8Array {
	const bytes = new Uint8Array(text.length);
	for (let index = 0; index < text.length; index++) bytes[index] = text.charCodeAt(index);
	return bytes;
}

const address: is.Check<Address> = (value) =>
	is.shape<Address>({
		family: is.oneOf(4, 6),
		text: is.address,
		zone: is.maybe(is.device),
		bytes: is.list(is.byte),
	})(value) ??
	((value as Address).bytes.length === ((value as Address).family === 4 ? 4 : 16) ? undefined : "bytes");

const section = is.shape<UciSection>({
	type: is.matching(/^[!-~]+$/),
	name: is.maybe(is.matching(/^[A-Za-z0-9_]+$/)),
	line: is.whole(1, 1_000_000),
	options: is.mapOf(
		is.some,
		is.shape<UciOption>({
			name: is.matching(/^[A-Za-z0-9_]+$/),
			values: is.list(is.text),
			list: is.flag,
			line: is.whole(1, 1_000_000),
		}),
	),
});
const uciError = is.shape<UciError>({ line: is.whole(1, 1_000_000), message: is.harmless });

/** Cut into chunks, as pipes do. */
function split(text: string): Line[] {
	const found: Line[] = [];
	const splitter = new LineSplitter((line) => found.push(line), 256);
	const bytes = bytesOf(text);
	for (let at = 0; at < bytes.length; at += 100) splitter.push(bytes.subarray(at, at + 100));
	return found;
}

export const LIB: readonly Parser[] = [
	parser({
		name: "parseAddress",
		seeds: ADDRESSES,
		parse: parseAddress,
		check: is.orAbsent(address),
		limit: 65_536,
	}),
	parser({
		name: "parsePrefix",
		seeds: PREFIXES,
		parse: parsePrefix,
		check: is.orAbsent(
			is.shape<Prefix>({ family: is.oneOf(4, 6), text: is.prefix, length: is.whole(0, 128) }),
		),
		limit: 65_536,
	}),
	parser({
		name: "prefixContains",
		seeds: [...PREFIXES, ...ADDRESSES],
		parse: (text) => [prefixContains(text, "10.0.0.1"), prefixContains("::/0", text)],
		check: is.list(is.flag),
		limit: 65_536,
	}),
	parser({
		name: "parseUci",
		seeds: [...UCI_PIECES, ...UCI],
		parse: parseUci,
		check: is.either(
			is.shape<{ sections: UciSection[] }>({ sections: is.list(section) }),
			is.shape<{ errors: UciError[] }>({ errors: is.list(uciError, 21) }),
		),
		limit: 262_144,
		shapes: [
			{ start: "config a\n", repeated: "list b c\n" },
			{ start: "config a\n", repeated: "option b c\n" },
			{ start: "config a\n", repeated: "option b§ c\n" },
			{ start: "config a\n", repeated: "list b§ c\n" },
			{ start: "config a\noption b ", repeated: "\\\n" },
			"config a\n",
			"config a b\n",
			"config a§\n",
			"config a; ",
			"package a;",
		],
	}),
	parser({
		name: "LineSplitter",
		seeds: [...UCI_PIECES, "a\r\n\nb\n"],
		parse: split,
		check: is.list(is.shape<Line>({ text: is.matching(/^[^\n]{0,256}$/), truncated: is.flag })),
		limit: 1 << 20,
	}),
	parser({
		name: "decodeUtf8",
		seeds: ["grün", "€ 💥", "\xe2\x82\xac", "\xf0\x9f\x92\xa5", "\xc3\xa4 plain"],
		parse: (text) => {
			const decoded = decodeUtf8(bytesOf(text));
			// Whatever it was, it is text from then on.
			return decodeUtf8(encodeUtf8(decoded)) === decoded;
		},
		check: is.oneOf(true),
		limit: 1 << 20,
	}),
	parser({
		name: "printable",
		seeds: ["a peer's \x1b[31m name", "\u202eabc", "grün 💥"],
		parse: (text) => printable(text, 50),
		check: (value) =>
			is.harmless(value) ??
			([...String(value)].length > 50 ? `${String(value).length} characters` : undefined),
		limit: 1 << 20,
	}),
	parser({
		name: "didYouMean",
		seeds: ["interfce", "constructor", "poll_intervall"],
		parse: (text) => didYouMean(text, ["interface", "poll_interval", "name"]),
		check: is.matching(/^( \(did you mean '(interface|poll_interval|name)'\?\))?$/),
		limit: 65_536,
	}),
];
