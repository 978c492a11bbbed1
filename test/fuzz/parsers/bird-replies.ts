/** What BIRD's client prints. */

import type { BirdChannel, ImportUpdates, LastError } from "../../../src/model/bird.ts";
import type { PeerOpen } from "../../../src/model/speaker.ts";
import { BfdReader, type BfdSession, parseBfd } from "../../../src/system/bird/parse-bfd.ts";
import type { BirdProtocol, ProtocolPeer } from "../../../src/system/bird/parse-protocols.ts";
import { ProtocolReader, parseProtocols } from "../../../src/system/bird/protocol-reader.ts";
import { parseConfigured, parseGreeting, parseReply, type Reply } from "../../../src/system/bird/replies.ts";
import { UnreachableRoutes } from "../../../src/system/bird/unreachable-routes.ts";
import { captures } from "../captures.ts";
import { type Parser, parser } from "../parser.ts";
import * as is from "../values.ts";

const ANSWERS = captures("bird", /\.txt$/).flatMap((text) => text.split(/^bird> .*\n/m));
/** Answers of one protocol each. */
const PROTOCOLS = ANSWERS.filter((text) => text.startsWith("2002-")).flatMap((text) =>
	text.split(/^(?=1002-)/m).slice(1),
);
const BFD = ANSWERS.filter((text) => text.startsWith("1020-"));
const SMALL = ANSWERS.filter((text) => text.length < 1500);

export const lastError = is.shape<LastError>({
	text: is.text,
	notification: is.maybe(
		is.shape<NonNullable<LastError["notification"]>>({
			by: is.oneOf("peer", "router"),
			code: is.byte,
			subcode: is.maybe(is.byte),
			text: is.text,
		}),
	),
	bfdDown: is.maybe(is.oneOf(true)),
});
const updates = is.shape<ImportUpdates>({
	received: is.count,
	rejected: is.count,
	filtered: is.count,
	withdrawn: is.count,
});
const channel = is.shape<BirdChannel>({
	family: is.some,
	isDown: is.flag,
	imported: is.maybe(is.count),
	updates: is.maybe(updates),
});
const open = is.shape<PeerOpen>({
	hostname: is.maybe(is.harmless),
	program: is.maybe(is.oneOf("frr", "gobgp", "bird", "metallb-native")),
	restarts: is.maybe(is.oneOf(true)),
});
const peer = is.shape<ProtocolPeer>({
	name: is.some,
	protocolState: is.some,
	state: is.maybe(is.some),
	neighborAddress: is.maybe(is.matching(/^[0-9a-fA-F.:]+$/)),
	neighborInterface: is.maybe(is.some),
	neighborRange: is.maybe(is.some),
	neighborAs: is.maybe(is.asNumber),
	localAs: is.maybe(is.asNumber),
	lastError: is.maybe(lastError),
	open: is.maybe(open),
	imported: is.maybe(is.count),
	exported: is.maybe(is.count),
	preferred: is.maybe(is.count),
	updates: is.maybe(updates),
	channels: is.maybe(is.list(channel)),
	unreachable: is.maybe(is.count),
	keepsRoutes: is.maybe(is.oneOf(true)),
	multihop: is.maybe(is.flag),
	sinceText: is.maybe(is.some),
});
const session = is.shape<BfdSession>({
	address: is.matching(/^[0-9a-fA-F.:]+$/),
	interface: is.maybe(is.some),
	mode: is.oneOf("direct", "multihop"),
	state: is.oneOf("up", "down", "init", "admin_down"),
});
const replyCheck = is.shape<Reply>({
	lines: is.list(is.shape({ code: is.whole(0, 9999), text: is.text })),
	error: is.maybe(is.text),
});
const kind = is.shape<BirdProtocol>({ name: is.some, kind: is.some, state: is.some });

function reply(text: string): Reply {
	return parseReply(text) ?? { lines: [] };
}

/** A reading of one peer, after which the answer comes. */
function unreachable(text: string): number | undefined {
	const routes = new UnreachableRoutes();
	routes.questions([{ name: "x", state: "Established", imported: 1 }], undefined, 0);
	routes.answered("x", reply(text));
	return routes.counts.get("x");
}

/** By its row: what a reader may have read of a protocol, or of a session, before. */
const BEFORE = new Map([...PROTOCOLS, ...BFD].map((text) => [text.split("\n", 1)[0] ?? "", text]));

type Read = (text: string) => unknown;

/** Answers about protocols, one after the other. */
function protocolReader(): Read {
	const reader = new ProtocolReader();
	return (text) => {
		reader.begin();
		return text.endsWith("\n") && reader.take(text) === text.length ? reader.end() : undefined;
	};
}

/** The same, in pieces as a pipe may cut them: of whole lines, some of them of one. */
function protocolReaderInPieces(): Read {
	const reader = new ProtocolReader();
	return (text) => {
		reader.begin();
		const lines = text.split("\n").slice(0, -1);
		const texts: string[] = [];
		for (let at = 0, count = 1; at < lines.length; at += count, count = (count % 3) + 1)
			texts.push(
				lines
					.slice(at, at + count)
					.map((line) => `${line}\n`)
					.join(""),
			);
		return text.endsWith("\n") && texts.every((piece) => reader.take(piece) === piece.length)
			? reader.end()
			: undefined;
	};
}

/** Answers about BFD, one after the other. */
function bfdReader(): Read {
	const reader = new BfdReader();
	return (text) => {
		reader.begin();
		return reply(text).lines.every(({ code, text: line }) => reader.take(code, line))
			? reader.end()
			: undefined;
	};
}

/** Who has read something like it before says what another one says. */
function again(text: string, make: () => Read): string {
	const read = make();
	read(BEFORE.get(text.split("\n", 1)[0] ?? "") ?? "");
	const [one, two] = [read(text), make()(text)].map((said) => JSON.stringify(said));
	return one === two ? "the same" : `${one} and ${two}`;
}

export const BIRD_REPLIES: readonly Parser[] = [
	parser({
		name: "parseReply",
		seeds: SMALL,
		parse: parseReply,
		check: is.orAbsent(replyCheck),
		limit: 1 << 20,
		shapes: ["1006-a\n", "     \n", "1006-\n", ">>> \n", "8001-a\n"],
	}),
	parser({
		name: "parseGreeting",
		seeds: ["0001 BIRD 3.1.8 ready.\n0016 Access restricted\n", "0001 BIRD v2.0.12 ready.\n"],
		parse: parseGreeting,
		check: is.orAbsent(is.shape<{ version?: string }>({ version: is.maybe(is.some) })),
		limit: 1 << 20,
		shapes: ["0001 BIRD\n", "0001 "],
	}),
	parser({
		name: "parseConfigured",
		seeds: ["1011-Last reconfiguration on 2026-11-27 09:00:00.000\n0013 Daemon is up and running\n"],
		parse: (text) => parseConfigured(reply(text)),
		check: is.orAbsent(is.text),
		limit: 1 << 20,
		shapes: ["1011-Last reconfiguration on\n", "1011- \n"],
	}),
	parser({
		name: "parseProtocols",
		seeds: PROTOCOLS,
		parse: (text) => parseProtocols(reply(text)),
		check: is.orAbsent(is.list(peer)),
		limit: 1 << 20,
		shapes: [
			"1002-a BGP --- up x\n1006-\n",
			{ start: "1002-a BGP --- up x\n", repeated: "1006-  Channel a\n", end: "1006-\n" },
			{ start: "1002-a BGP --- up x\n", repeated: "1006-    Routes: 1 imported\n", end: "1006-\n" },
			{ start: "1002-a BGP --- up ", repeated: " ", end: "x\n1006-\n" },
			{
				start: "1002-a BGP --- up x\n1006-  Channel a\n1006-    Routes: ",
				repeated: "1 a, ",
				end: "\n1006-\n",
			},
			{
				start: "1002-a BGP --- up x\n1006-  Channel a\n1006-    Route change stats: ",
				repeated: "a ",
				end: "\n1006-\n",
			},
		],
	}),
	parser({
		name: "ProtocolReader",
		seeds: PROTOCOLS,
		parse: (text) => protocolReader()(text) as ReturnType<ProtocolReader["end"]>,
		check: is.orAbsent(
			is.shape<NonNullable<ReturnType<ProtocolReader["end"]>>>({
				peers: is.list(peer),
				protocols: is.list(kind),
			}),
		),
		limit: 1 << 20,
		shapes: [
			"1002-a BGP --- up x\n1006-\n",
			"1002-a§ BGP --- up x\n1006-\n",
			{ start: "1002-a BGP --- up x\n", repeated: "         a§\n", end: "1006-\n" },
		],
	}),
	parser({
		name: "ProtocolReader, again",
		seeds: PROTOCOLS,
		parse: (text) => again(text, protocolReader),
		check: is.oneOf("the same"),
		limit: 1 << 18,
	}),
	parser({
		name: "ProtocolReader, again, in pieces",
		seeds: PROTOCOLS,
		parse: (text) => again(text, protocolReaderInPieces),
		check: is.oneOf("the same"),
		limit: 1 << 18,
	}),
	parser({
		name: "BfdReader, again",
		seeds: BFD,
		parse: (text) => again(text, bfdReader),
		check: is.oneOf("the same"),
		limit: 1 << 18,
	}),
	parser({
		name: "parseBfd",
		seeds: [...BFD, "1020-bfd1:\nIP address  Interface\n"],
		parse: (text) => parseBfd(reply(text)),
		check: is.orAbsent(is.list(session)),
		limit: 1 << 20,
		shapes: [
			"1020-a b Up c 1.0 1.0\n",
			"1020-  Address: 1\n",
			{ start: "1020-a b Up ", repeated: " 1.0", end: "\n" },
			{ start: "1020-a b Up ", repeated: "c ", end: "\n" },
		],
	}),
	parser({
		name: "unreachable routes",
		seeds: [
			"1007-1 of 3 routes for 3 networks in table master4\n0014 \n",
			"1007-0 of 3 routes for 3 networks in table a\n",
		],
		parse: unreachable,
		check: is.orAbsent(is.count),
		limit: 1 << 20,
		shapes: ["1007-1 of 3 routes \n"],
	}),
];
