import type { Host } from "../host.ts";
import { network } from "../network.ts";
import type { Process } from "../process.ts";
import { until } from "../wait.ts";
import { birdVersions, newestBird } from "../world.ts";

const { router, speaker, peer } = network;

const birdBase = `router id ${router.lan};
log stderr all;
protocol device { }
protocol kernel {
	ipv4 { export all; };
}
`;

/** One `protocol bgp` like the article's; `extra` are further lines of it, e.g. `multihop 2;`. */
export function birdBgp(name: string, neighbor: string, neighborAs: number, extra = ""): string {
	return `protocol bgp ${name} {
	local ${router.lan} as ${router.as};
	neighbor ${neighbor} as ${neighborAs};
	bfd on;
	graceful restart on;
	passive on;
	${extra}
	ipv4 {
		import all;
		export none;
	};
}
`;
}

/** The article's router configuration; `more` adds protocols. BFD is single hop (UDP 3784). */
export function birdDirect(more = ""): string {
	return `${birdBase}protocol bfd {
	interface "${router.lanInterface}";
}
${birdBgp(peer, speaker.address, speaker.as)}${more}`;
}

/**
 * What the article's router needs when the speaker has `ebgpMultiHop: true`, so that BFD meets too (UDP 4784). The
 * direct protocol is there because multihop BGP resolves its next hops recursively.
 */
export function birdMultihop(more = ""): string {
	return `${birdBase}protocol direct {
	ipv4;
	interface "${router.lanInterface}";
}
protocol bfd {
	multihop { min rx interval 300 ms; min tx interval 300 ms; multiplier 3; };
}
${birdBgp(peer, speaker.address, speaker.as, "multihop 2;")}${more}`;
}

/** How router and speaker are to meet; by default as in the article, with BFD that fits. */
export interface Peering {
	readonly family?: 4 | 6;
	/** Default true. */
	readonly multihop?: boolean;
	/** The AS number that BIRD expects of the speaker. */
	readonly neighborAs?: number;
	/** BIRD takes whoever dials from here (`neighbor range`), in the place of the speaker's address. */
	readonly range?: string;
	/** The port that BIRD listens on. */
	readonly port?: number;
	/** Whether routes of several nodes become one with several next hops; default false. */
	readonly mergePaths?: boolean;
	/** Further lines of the protocol. */
	readonly extra?: string;
	/** Whether BIRD waits for the speaker; default true. */
	readonly passive?: boolean;
}

/** The router's configuration for any such peering. */
export function birdPeering(peering: Peering = {}): string {
	const {
		family = 4,
		multihop = true,
		neighborAs = speaker.as,
		port = 179,
		extra = "",
		passive = true,
		mergePaths = false,
		range,
	} = peering;
	const [local, address] = family === 6 ? [router.lan6, speaker.address6] : [router.lan, speaker.address];
	const neighbor = range === undefined ? address : `range ${range}`;
	const merge = mergePaths ? "merge paths on; " : "";
	const bfd = "min rx interval 300 ms; min tx interval 300 ms; multiplier 3;";
	return `router id ${router.lan};
log stderr all;
protocol device { }
protocol direct { ipv4; ipv6; interface "${router.lanInterface}"; }
protocol kernel { ${merge}ipv4 { export all; }; }
protocol kernel { ${merge}ipv6 { export all; }; }
protocol bfd { ${multihop ? `multihop { ${bfd} };` : `interface "${router.lanInterface}" { ${bfd} };`} }
protocol bgp ${peer} {
	local ${local} port ${port} as ${router.as};
	neighbor ${neighbor} as ${neighborAs};
	bfd on;
	graceful restart on;
	${passive ? "passive on;" : "connect retry time 5;"}
	${multihop ? "multihop 2;" : "direct;"}
	${extra}
	ipv${family} { import all; export none; };
}
`;
}

export const birdConfigFile = "/etc/bird.conf";
/** Where OpenWrt's BIRD has it. */
export const birdSocket = "/var/run/bird.ctl";

/** A running BIRD. */
export interface Bird {
	readonly process: Process;
	/** Asks BIRD a command, e.g. `show protocols`, and returns what birdc prints. @throws when BIRD is not there */
	control(command: string): Promise<string>;
	/** BGP state of a protocol as BIRD names it (`Established`, `Passive`, …), and BFD's (`Up`, `Down`, …). */
	peer(name?: string): Promise<{ bgp?: string | undefined; bfd?: string | undefined }>;
	/** Writes a new configuration and has BIRD load it. */
	configure(config: string): Promise<void>;
	/** SIGTERM: BIRD closes its sessions and removes its routes. */
	stop(): Promise<void>;
	/** SIGKILL. */
	crash(): Promise<void>;
}

/**
 * Starts BIRD, the newest of this world or the version given, and waits until its control socket answers.
 * @throws Error when this world does not have that version
 */
export async function startBird(host: Host, config: string, version: 2 | 3 = newestBird): Promise<Bird> {
	if (!birdVersions.includes(version)) throw new Error(`lab: this world has no BIRD ${version}`);
	host.write(birdConfigFile, config);
	const directory = version === newestBird ? "/usr/sbin" : "/opt/bird2/usr/sbin";
	for (const client of ["birdc", "birdcl"]) {
		// Whoever looks for the client in PATH finds the one that belongs to this BIRD.
		await host.run(["ln", "-sf", `${directory}/${client}`, `/usr/local/sbin/${client}`]);
	}
	const process = host.start([`${directory}/bird`, "-f", "-c", birdConfigFile, "-s", birdSocket], {
		name: `bird${version}`,
		urgent: true,
	});
	const control = async (command: string): Promise<string> => {
		const { stdout } = await host.run(["birdcl", "-s", birdSocket, ...command.split(" ")]);
		return stdout;
	};
	await until(
		"BIRD to answer",
		async () => {
			process.mustRun();
			return control("show status");
		},
		{ holds: (answer) => answer.includes("Daemon is up and running") },
	);

	return {
		process,
		control,
		async peer(name = peer) {
			const protocol = await control(`show protocols all ${name}`);
			const address = protocol.match(/Neighbor address:\s+([^\s%]+)/)?.[1] ?? "";
			const sessions = await control("show bfd sessions");
			const session = sessions.split("\n").find((line) => line.split(/\s+/)[0] === address);
			return { bgp: protocol.match(/BGP state:\s+(\w+)/)?.[1], bfd: session?.split(/\s+/)[2] };
		},
		async configure(next) {
			host.write(birdConfigFile, next);
			const answer = await control("configure");
			if (!/Reconfigured|Reconfiguration in progress/.test(answer))
				throw new Error(`birdc configure: ${answer}`);
			await until("BIRD to be reconfigured", () => control("show status"), {
				holds: (status) => status.includes("Daemon is up and running"),
			});
		},
		async stop() {
			await process.end("SIGTERM");
		},
		async crash() {
			await process.end("SIGKILL");
		},
	};
}
