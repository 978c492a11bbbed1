/** A proxy or VPN of OpenWrt's that makes firewall rules or routes, by its package's own documentation and scripts. */
interface KnownProgram {
	/** Its script in /etc/init.d. */
	readonly service: string;
	/** Name of the process that its service runs; several services may run one program. */
	readonly process?: string;
	/** Its tables and chains, as `family table chain`. */
	readonly chains?: RegExp;
}

/** Where names are alike, the more special one comes first. `clash` is the service of SSClash and others. */
const PROGRAMS: readonly KnownProgram[] = [
	{
		service: "tailscale",
		process: "tailscaled",
		chains: /^(?:ip6?|inet) (?:filter|nat|mangle|tailscale) ts-/,
	},
	{ service: "nikki", process: "mihomo", chains: /nikki/ },
	{ service: "mihomo", process: "mihomo", chains: /mihomo/ },
	{ service: "openclash", process: "clash", chains: /openclash/ },
	{ service: "ssclash", process: "clash" },
	{ service: "homeproxy", process: "sing-box", chains: /homeproxy/ },
	{ service: "passwall", chains: /passwall|PSW/ },
	{ service: "passwall2" },
	{
		service: "sing-box",
		process: "sing-box",
		chains: /sing[-_]?box|sing-tun/,
	},
	{ service: "clash", process: "clash", chains: /clash/ },
];

export const KNOWN_SERVICES: readonly string[] = PROGRAMS.map(({ service }) => service);

/** The services that run a program. @param process its name */
export function servicesOf(process: string): string[] {
	return PROGRAMS.filter((program) => program.process === process).map(({ service }) => service);
}

/** The service that makes such a chain. @param chain `family table chain` */
export function serviceOfChain(chain: string): string | undefined {
	return PROGRAMS.find(({ chains }) => chains?.test(chain))?.service;
}
