import type { NftInclude } from "../../../src/model/firewall.ts";
import type { ServiceEvent, ServiceProcess } from "../../../src/model/service.ts";
import { type Firewall, includesNaming, parseFirewall } from "../../../src/system/openwrt/firewall.ts";
import { parseServiceEvent, parseServiceList } from "../../../src/system/openwrt/service-events.ts";
import {
	isObject,
	parseComplaint,
	parseEvent,
	parseReply,
} from "../../../src/system/openwrt/service-messages.ts";
import { attribute } from "../../../src/warden/services/attribution.ts";
import { FakeFiles } from "../../fakes/files.ts";
import { captures, lines } from "../captures.ts";
import { type Parser, parser } from "../parser.ts";
import * as is from "../values.ts";
import { UCI_PIECES } from "./lib.ts";

const UBUS = lines(captures("ubus", /(subscribe|listen)\.txt$/));
const COMPLAINTS = [
	"Command failed: Not found",
	"Command failed: ubus call x y (Not found)",
	"Error while registering for event 'x': Not found",
];
const [LIST = "{}"] = captures("ubus", /service-list\.txt$/);
/** Services of the list, one each. */
const SERVICES = Object.entries(JSON.parse(LIST) as object).map(([name, value]) =>
	JSON.stringify({ [name]: value }),
);
const FIREWALL = `config defaults
	option auto_includes '0'

config zone
	option name 'lan'
	option enabled '1'

config include 'x'
	option type 'nftables'
	option path '/etc/x.nft'

config include
	option path '/etc/firewall.user'
`;
const COMMANDS = [
	"/bin/sh /etc/init.d/firewall stop",
	"/usr/bin/mihomo -d /etc/mihomo",
	"/bin/sh /etc/rc.common /etc/rc.d/S19firewall boot",
	"sshd: root@pts/0",
	"-ash",
	"tailscaled --state x",
];

const serviceEvent = is.shape<ServiceEvent>({
	service: is.some,
	instance: is.maybe(is.text),
	change: is.oneOf("start", "stop", "respawn", "fail"),
	exitCode: is.maybe(is.whole(-(2 ** 31), 2 ** 31 - 1)),
});
const serviceProcess = is.shape<ServiceProcess>({ service: is.text, instance: is.text, pid: is.pid });
const firewall = is.shape<Firewall>({
	autoIncludes: is.flag,
	scripts: is.list(is.some),
	nftables: is.list(is.some),
	zones: is.list(is.some),
});
const include = is.shape<NftInclude>({ path: is.some, line: is.matching(/^.{0,120}$/s) });
const services = {
	processes: [{ service: "mihomo", instance: "a", pid: 4711 }],
	changed: new Map([["firewall", 5]]),
};

function including(text: string) {
	const files = new FakeFiles(() => 0);
	files.set("/etc/nftables.d/x.nft", text);
	return includesNaming(files, "custom_bgp", { autoIncludes: false, scripts: [], nftables: [], zones: [] });
}

export const OPENWRT: readonly Parser[] = [
	parser({
		name: "parseEvent",
		seeds: UBUS,
		parse: parseEvent,
		check: is.orAbsent(
			is.shape<{ name: string; data: never }>({
				name: is.text,
				data: ((value: unknown) => (isObject(value) ? undefined : "no object")) as is.Check<never>,
			}) as is.Check<never>,
		),
		limit: 65_536,
		json: true,
		shapes: [
			{ start: '{"a":', repeated: "[" },
			{ start: '{"a":', repeated: '{"a":' },
		],
	}),
	parser({
		name: "parseServiceEvent",
		seeds: UBUS,
		parse: (text) => {
			const read = parseEvent(text);
			return read && parseServiceEvent(read);
		},
		check: is.orAbsent(serviceEvent),
		limit: 65_536,
		json: true,
	}),
	parser({
		name: "parseServiceList",
		seeds: [...SERVICES, '{"tailscale":{"instances":{"instance1":{"running":true,"pid":25}}}}'],
		parse: (text) => {
			const read = parseReply(text);
			return read && parseServiceList(read);
		},
		check: is.orAbsent(is.list(serviceProcess)),
		limit: 1 << 20,
		json: true,
		shapes: [{ start: "{", repeated: '"a§":{"instances":{"b":{"running":true,"pid":1}}},', end: '"b":1}' }],
	}),
	parser({
		name: "parseComplaint",
		seeds: [...COMPLAINTS, ...lines(captures("ubus", /errors\.txt$/))],
		parse: parseComplaint,
		check: is.text,
		limit: 65_536,
		shapes: [
			{ start: "Command failed: ubus ", repeated: "(" },
			{ start: "Command failed: ubus ", repeated: "(a" },
			{ start: "Error while registering for event '", repeated: "': " },
		],
	}),
	parser({
		name: "parseFirewall",
		seeds: [FIREWALL, ...UCI_PIECES],
		parse: parseFirewall,
		check: is.orAbsent(firewall),
		limit: 262_144,
		shapes: [
			FIREWALL,
			"config include\n",
			{ start: "config include\n", repeated: "list path a\n" },
			"config zone\noption name a\n",
		],
	}),
	parser({
		name: "includesNaming",
		seeds: [
			"table inet custom_bgp {\n}\n",
			'define x = "custom_bgp"\ndelete table inet $x\n',
			"add rule inet fw4 x # inet custom_bgp\n",
		],
		parse: including,
		check: is.list(include),
		limit: 1 << 20,
		shapes: [
			"inet ",
			"inet",
			" define ",
			"define a = ",
			{ start: "define ", repeated: "= " },
			{ start: "inet", repeated: " " },
			{ start: "define", repeated: " " },
		],
	}),
	parser({
		name: "attribute",
		seeds: COMMANDS,
		parse: (text) => {
			const [command = "", parent = ""] = text.split("\n");
			const ancestors = [{ pid: 1, command: parent }];
			return attribute({ process: text.slice(0, 15), command, parent, ancestors }, 5, services as never);
		},
		check: is.orAbsent(is.some),
		limit: 120,
	}),
];
