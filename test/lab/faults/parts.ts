import { network } from "../network.ts";

/** Programs that faults stand in front of: the lab's own copies, which stay as they are. */
export const REAL = {
	nft: "/opt/lab/nft",
	conntrack: "/opt/lab/conntrack",
	ip: "/opt/lab/ip",
	birdcl: "/opt/lab/birdcl",
	nc: "/opt/lab/busybox nc",
	openssl: "/opt/lab/openssl",
	qjs: "/opt/lab/qjs",
	ubus: "/opt/lab/ubus",
} as const;
/** 300 kB that are no text, with newlines and control characters. */
export const GARBAGE = "/opt/lab/garbage";
export type Program = keyof typeof REAL;

/** Where the daemon finds them. */
export const INSTALLED: Readonly<Record<string, string>> = {
	nft: "/usr/sbin/nft",
	conntrack: "/usr/sbin/conntrack",
	ip: "/usr/bin/ip",
	birdcl: "/usr/sbin/birdcl",
	birdc: "/usr/sbin/birdc",
	nc: "/usr/local/bin/nc",
	openssl: "/usr/bin/openssl",
	qjs: "/usr/bin/qjs",
	ubus: "/usr/local/bin/ubus",
};

const head = "log stderr { warning, error };\nprotocol device { }\n";
/** Without BFD, whose second without the processor is an outage: the faults are the cells'. */
export const routerConfig = `router id ${network.router.lan};
${head}protocol bgp ${network.peer} {
	local ${network.router.lan} as ${network.router.as};
	neighbor ${network.speaker.address} as ${network.speaker.as};
	passive on;
	ipv4 { import all; export none; };
}
`;
export const speakerConfig = `router id ${network.speaker.address};
${head}protocol static { ipv4; route ${network.service} blackhole; }
protocol static extra { disabled; ipv4; route 192.168.20.2/32 blackhole; }
protocol bgp up {
	local ${network.speaker.address} as ${network.speaker.as};
	neighbor ${network.router.lan} as ${network.router.as};
	connect delay time 1; connect retry time 2; error wait time 1, 2;
	ipv4 { import none; export all; };
}
`;
/** `error` alone would not say that it runs. */
export const quietBroker = { log: ["error", "warning", "notice", "information"] };
export const RELAY_PORT = 1885;
