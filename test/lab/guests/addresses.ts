import { network } from "../network.ts";

/** One BGP session between the router and the speaker; the lab has one of each kind at the same time. */
export interface SessionKind {
	/** BIRD's name of it. */
	readonly name: string;
	readonly family: "ipv4" | "ipv6";
	readonly router: string;
	readonly speaker: string;
	/** Length of the subnet that both are in. */
	readonly prefix: number;
}

const { router, speaker } = network;

/**
 * Private addresses, which proxies leave alone, and public ones, which they take for the internet's. They exist in the
 * lab's namespaces alone.
 */
export const sessions: readonly SessionKind[] = [
	{ name: "lan4", family: "ipv4", router: router.lan, speaker: speaker.address, prefix: 24 },
	{ name: "lan6", family: "ipv6", router: router.lan6, speaker: speaker.address6, prefix: 64 },
	{ name: "public4", family: "ipv4", router: "45.0.0.1", speaker: "45.0.0.2", prefix: 24 },
	{ name: "public6", family: "ipv6", router: "2a00:45::1", speaker: "2a00:45::2", prefix: 64 },
];

/** A server in the internet, and the port where it tells who asks. */
export const internet = { address: "45.20.0.10", port: 8000 } as const;

/** BIRD's configuration with all sessions. */
export function birdConfig(options: { readonly passive: boolean }): string {
	const bgp = sessions.map(
		({ name, family, ...ends }) => `protocol bgp ${name} {
	local ${ends.router} as ${router.as};
	neighbor ${ends.speaker} as ${speaker.as};
	multihop 2;
	bfd on;
	graceful restart on;
	passive ${options.passive ? "on" : "off"};
	${family} { import all; export none; };
}
`,
	);
	return `router id ${router.lan};
log stderr all;
protocol device { }
protocol kernel { ipv4 { export all; }; }
protocol kernel { ipv6 { export all; }; }
protocol direct { ipv4; ipv6; interface "${router.lanInterface}"; }
protocol bfd {
	multihop { min rx interval 300 ms; min tx interval 300 ms; multiplier 3; };
}
${bgp.join("")}`;
}

/** FRR's, in the way of MetalLB's. @param passive whether FRR waits for the router to dial */
export function frrConfig(options: { readonly passive: boolean }): string {
	const neighbors = sessions.map(
		({ router: address }) => ` neighbor ${address} remote-as ${router.as}
 neighbor ${address} ebgp-multihop
 neighbor ${address} timers 5 15
 neighbor ${address} bfd
 neighbor ${address} bfd profile bfdprofile
${options.passive ? ` neighbor ${address} passive\n` : ""}`,
	);
	const families = (["ipv4", "ipv6"] as const).map((family) => {
		const activated = sessions.filter((session) => session.family === family);
		return ` address-family ${family} unicast
${activated.map(({ router: address }) => `  neighbor ${address} activate\n`).join("")} exit-address-family
`;
	});
	return `log stdout informational
hostname speaker
router bgp ${speaker.as}
 no bgp ebgp-requires-policy
 no bgp network import-check
 no bgp default ipv4-unicast
 bgp router-id ${speaker.address}
${neighbors.join("")}${families.join("")}exit
bfd
 profile bfdprofile
  receive-interval 380
  transmit-interval 270
 exit
exit
`;
}
