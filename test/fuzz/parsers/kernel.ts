import type { Address } from "../../../src/lib/address.ts";
import type { Actor } from "../../../src/model/actor.ts";
import type { Command } from "../../../src/model/command.ts";
import type { Flow, Tuple } from "../../../src/model/flow.ts";
import type { Neighbor, Route } from "../../../src/model/inspection.ts";
import type { Platform } from "../../../src/platform/types.ts";
import { filterOf } from "../../../src/system/conntrack/delete-filter.ts";
import { parseFlow } from "../../../src/system/conntrack/flow-text.ts";
import { parseRequest } from "../../../src/system/control/request.ts";
import { commandLine, findActor, parseStat, threadGroup } from "../../../src/system/kernel/actor.ts";
import {
	type InterfaceAddress,
	parseAddresses,
	parseNeighbors,
	parseNoRoute,
	parseRoute,
} from "../../../src/system/kernel/ip-text.ts";
import { endLeftovers } from "../../../src/system/kernel/leftovers.ts";
import { parseConnected4, parseConnected6 } from "../../../src/system/kernel/networks.ts";
import { parseTcpSockets, type TcpSocket } from "../../../src/system/kernel/tcp-sockets.ts";
import { FakeFiles } from "../../fakes/files.ts";
import { captures, lines, pieces } from "../captures.ts";
import { type Parser, parser } from "../parser.ts";
import * as is from "../values.ts";

const ROUTES = [
	"10.2.0.1 via inet6 fe80::9 dev br-lan src 192.168.1.1 uid 0",
	"192.168.1.2 dev tailscale0 table 52 src 192.168.1.1 uid 0 \n    cache ",
	"fd00:1::2 from :: dev eth0 proto kernel src fd00:1::1 metric 256 pref medium",
	"10.9.0.1 via 192.168.1.254 dev br-lan src 192.168.1.1",
];
const NEIGHBORS = [
	"192.168.1.2 dev br-lan lladdr 12:34:56:78:9a:bc REACHABLE",
	"fe80::2 dev br-lan FAILED",
	"",
];
const ADDRESSES = [
	"1: lo    inet 127.0.0.1/8 scope host lo\\       valid_lft forever preferred_lft forever\n",
	"2: br-lan    inet 192.168.1.1/24 brd 192.168.1.255 scope global br-lan\n2: br-lan    inet6 fe80::1/64 scope link \n",
	"5: wg0    inet 10.9.0.1 peer 10.9.0.2/32 scope global wg0\n",
];
const STAT = "4711 (a (b) c) S 4700 4711 4711 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 12345 1000 2 3 4 \n";
const STATUS = "Name:\tnft\nTgid:\t4711\nNgid:\t0\nPid:\t4712\n";

const tuple = is.shape<Tuple>({
	source: is.address,
	destination: is.address,
	sourcePort: is.anyPort,
	destinationPort: is.anyPort,
});
const flow = is.shape<Flow>({
	family: is.oneOf("ipv4", "ipv6"),
	protocol: is.oneOf("tcp", "udp"),
	state: is.maybe(is.matching(/^[A-Z][A-Z_0-9]+$/)),
	unreplied: is.flag,
	assured: is.flag,
	mark: is.maybe(is.whole(1, 0xffffffff)),
	zone: is.maybe(is.whole(1, 65_535)),
	original: tuple,
	reply: tuple,
});
const route = is.shape<Route>({
	interface: is.device,
	gateway: is.maybe(is.address),
	source: is.maybe(is.address),
	table: is.maybe(is.some),
});
const STATES = [
	"REACHABLE",
	"STALE",
	"DELAY",
	"PROBE",
	"FAILED",
	"INCOMPLETE",
	"PERMANENT",
	"NOARP",
	"NONE",
] as const;
const neighbor = is.shape<Neighbor>({ interface: is.device, state: is.oneOf(...STATES) });
const interfaceAddress = is.shape<InterfaceAddress>({
	interface: is.device,
	address: is.shape<Address>({
		family: is.oneOf(4, 6),
		text: is.address,
		zone: is.maybe(is.device),
		bytes: is.list(is.byte),
	}),
	length: is.whole(0, 128),
});
/** An address without bits behind the length. */
const network =
	(whole: number): is.Check<never> =>
	(value: unknown) => {
		const {
			text,
			bytes,
			length,
			interface: device,
		} = value as Record<"text" | "bytes" | "length" | "interface", never>;
		return (
			is.list(is.byte)(bytes) ??
			is.whole(1, whole - 1 + Number(whole === 32))(length) ??
			is.prefix(`${text}/${length}`) ??
			is.device(device)
		);
	};
const actor = is.shape<Actor>({
	process: is.text,
	pid: is.maybe(is.pid),
	command: is.maybe(is.matching(/^.{1,120}$/s)),
	parent: is.maybe(is.some),
	ancestors: is.maybe(
		is.list(is.shape<{ pid: number; command: string }>({ pid: is.pid, command: is.some }), 4),
	),
});

/** A process whose files say this. */
function actorOf(text: string): Actor {
	const files = new FakeFiles(() => 0);
	const name = text.slice(text.indexOf("(") + 1, text.lastIndexOf(")"));
	files.set("/proc/4711/stat", text);
	files.set("/proc/4711/status", text);
	files.set("/proc/4711/cmdline", text);
	const parent = /\) \S (\d+)/.exec(text)?.[1] ?? "1";
	files.set(`/proc/${parent}/stat`, text);
	return findActor(files, 4711, name);
}

/** Who is ended because of an environment. */
function ended(text: string): number[] {
	const files = new FakeFiles(() => 0);
	files.set("/proc/4711/environ", text);
	files.set("/proc/99/stat", STAT);
	const killed: number[] = [];
	const platform = { files, kill: (pid: number) => killed.push(pid) };
	endLeftovers(platform as unknown as Platform, () => {});
	return killed;
}

export const KERNEL: readonly Parser[] = [
	parser({
		name: "parseFlow",
		seeds: lines(captures("conntrack", /conntrack.*\.txt$/)),
		parse: parseFlow,
		check: is.orAbsent(flow),
		limit: 4096,
		shapes: ["src=1.1.1.1 ", "tcp src=1.1.1.1 ", "mark=1 "],
	}),
	parser({
		name: "filterOf",
		seeds: lines(captures("conntrack", /conntrack.*\.txt$/)),
		parse: (text) => {
			const read = parseFlow(text);
			return read && filterOf(read, () => true, [179]);
		},
		check: is.orAbsent(
			is.matching(
				/^-f ipv[46] -p (tcp|udp) --orig-(src|dst) [0-9a-f.:]+ --(orig|reply)-port-(src|dst) \d{1,5}$/,
			),
		),
		limit: 4096,
	}),
	parser({
		name: "parseRequest",
		seeds: ["restart waukeen #1", "ensure", "flush #4711-1", "release #a", "restart a.b:c-d"],
		parse: parseRequest,
		check: is.orAbsent(
			is.shape<Command>({
				verb: is.oneOf("ensure", "release", "flush", "restart"),
				peer: is.maybe(is.matching(/^[A-Za-z0-9_.:-]{1,64}$/)),
				id: is.maybe(is.matching(/^[A-Za-z0-9-]{1,40}$/)),
			}),
		),
		limit: 4096,
		shapes: ["restart ", "#", { start: "restart ", repeated: "a" }],
	}),
	parser({
		name: "parseStat",
		seeds: [STAT, "1 (a b) S 2 3 "],
		parse: parseStat,
		check: is.orAbsent(is.shape<{ name: string; parent: number }>({ name: is.text, parent: is.count })),
		limit: 8192,
		shapes: ["1 (a) S ", { start: "1 (", repeated: ") S 1" }, { start: "1 (", repeated: ") S " }],
	}),
	parser({
		name: "threadGroup",
		seeds: [STATUS],
		parse: threadGroup,
		check: is.orAbsent(is.pid),
		limit: 8192,
		shapes: ["Tgid:\t1\t\n", "Tgid:\t"],
	}),
	parser({
		name: "commandLine",
		seeds: ["/bin/sh\0/etc/init.d/firewall\0stop\0", "nft\0flush\0ruleset\0"],
		parse: commandLine,
		check: is.orAbsent(is.line),
		limit: 8192,
		shapes: ["\0", "a\0"],
	}),
	parser({ name: "findActor", seeds: [STAT, STAT + STATUS], parse: actorOf, check: actor, limit: 8192 }),
	parser({
		name: "endLeftovers",
		seeds: ["A=1\0BGPWARDEN_PARENT=99:12345\0B=2\0", "BGPWARDEN_PARENT=99:1\0"],
		parse: ended,
		check: is.list(is.oneOf(4711, 99)),
		limit: 65_536,
		shapes: ["\0BGPWARDEN_PARENT=1:", "\0BGPWARDEN_PARENT=1", "\0"],
	}),
	parser({ name: "parseRoute", seeds: ROUTES, parse: parseRoute, check: is.orAbsent(route), limit: 65_536 }),
	parser({
		name: "parseNoRoute",
		seeds: ["RTNETLINK answers: Network is unreachable\n"],
		parse: parseNoRoute,
		check: is.orAbsent(is.text),
		limit: 65_536,
		shapes: ["RTNETLINK answers: \n", "RTNETLINK answers: "],
	}),
	parser({
		name: "parseNeighbors",
		seeds: [...NEIGHBORS, NEIGHBORS.join("\n")],
		parse: parseNeighbors,
		check: is.mapOf(is.address, is.list(neighbor)),
		limit: 1 << 20,
		shapes: [" dev ", "1.1.1.1 dev a STALE\n", "fe80::§ dev a STALE\n"],
	}),
	parser({
		name: "parseAddresses",
		seeds: ADDRESSES,
		parse: parseAddresses,
		check: is.list(interfaceAddress),
		limit: 1 << 20,
		shapes: ["1: a inet 1.1.1.1/24 \n", "1: ", { start: "1: a", repeated: " " }],
	}),
	parser({
		name: "parseTcpSockets",
		seeds: pieces(captures("proc", /tcp6?\.txt$/), 4),
		parse: (text) => parseTcpSockets(text, true),
		check: is.list(
			is.shape<TcpSocket>({
				localAddress: is.address,
				localPort: is.anyPort,
				remoteAddress: is.address,
				remotePort: is.anyPort,
				state: is.matching(/^\S*$/),
				inode: is.matching(/^\S*$/),
			}),
		),
		limit: 1 << 20,
		shapes: [
			"0: 0100007F:0035 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 1 1 0 100 0 0 10 0\n",
		],
	}),
	parser({
		name: "parseConnected4",
		seeds: pieces(captures("proc", /route\.txt$/), 3),
		parse: (text) => parseConnected4(text, true),
		check: is.list(network(32)),
		limit: 1 << 18,
		shapes: ["br-lan 0001A8C0 00000000 0001 0 0 0 00FFFFFF 0 0 0\n"],
	}),
	parser({
		name: "parseConnected6",
		seeds: pieces(captures("proc", /if_inet6\.txt$/), 2),
		parse: parseConnected6,
		check: is.list(network(128)),
		limit: 1 << 18,
		shapes: ["fd000001000000000000000000000001 02 40 00 82 br-lan\n"],
	}),
];
