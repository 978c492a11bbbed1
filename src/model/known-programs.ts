/** A proxy or VPN of OpenWrt's that makes firewall rules or routes, by its package's own documentation and scripts. */
interface KnownProgram {
	/** Its script in /etc/init.d. */
	readonly service: string;
	/** Name of the process that its service runs; several services may run one program. */
	readonly process?: string;
	/** Its tables and chains, as `family table chain`. */
	readonly chains?: RegExp;
	/** How the names of its network interfaces begin. */
	readonly interfaces?: readonly string[];
}

/** Where names are alike, the more special one comes first. `clash` is the service of SSClash and others. */
const PROGRAMS: readonly KnownProgram[] = [
	{
		service: "tailscale",
		process: "tailscaled",
		chains: /^(?:ip6?|inet) (?:filter|nat|mangle|tailscale) ts-/,
		interfaces: ["tailscale", "ts"],
	},
	{ service: "nikki", process: "mihomo", chains: /nikki/, interfaces: ["nikki"] },
	{ service: "mihomo", process: "mihomo", chains: /mihomo/, interfaces: ["mihomo", "meta"] },
	{ service: "openclash", process: "clash", chains: /openclash/ },
	{ service: "ssclash", process: "clash" },
	{ service: "homeproxy", process: "sing-box", chains: /homeproxy/ },
	{ service: "passwall", chains: /passwall|PSW/, interfaces: ["xray"] },
	{ service: "passwall2" },
	{
		service: "sing-box",
		process: "sing-box",
		chains: /sing[-_]?box|sing-tun/,
		interfaces: ["sing", "singbox"],
	},
	{ service: "clash", process: "clash", chains: /clash/, interfaces: ["clash"] },
];

/** Interfaces of other VPNs. */
const OTHER_TUNNELS = ["tun", "utun", "tap", "wg", "zt", "nebula", "ppp", "warp"];

export const KNOWN_SERVICES: readonly string[] = PROGRAMS.map(({ service }) => service);

/** The services that run a program. @param process its name */
export function servicesOf(process: string): string[] {
	return PROGRAMS.filter((program) => program.process === process).map(({ service }) => service);
}

/** The service that makes such a chain. @param chain `family table chain` */
export function serviceOfChain(chain: string): string | undefined {
	return PROGRAMS.find(({ chains }) => chains?.test(chain))?.service;
}

const TUNNEL = new RegExp(
	`^(?:${[...PROGRAMS.flatMap(({ interfaces = [] }) => interfaces), ...OTHER_TUNNELS].join("|")})[\\w.-]*\\d*$`,
	"i",
);

/** Whether an interface is a VPN's or a proxy's, by its name: a peer on the LAN is not behind one. */
export function isTunnel(name: string): boolean {
	return TUNNEL.test(name);
}
