import { existsSync } from "node:fs";
import type { Host } from "../host.ts";
import { network } from "../network.ts";
import { labDirectory } from "../paths.ts";
import type { Process } from "../process.ts";
import { until } from "../wait.ts";

export interface GobgpOptions {
	/** Address family of the session; default 4. */
	readonly family?: 4 | 6;
	/** `connectRetryTimeSeconds` of Cilium's timers; default 120. GoBGP waits for this long and up to as long again. */
	readonly connectRetry?: number;
	/** Seconds; a third of it is the keepalive interval. Default 90. */
	readonly holdTime?: number;
	/** Cilium's `gracefulRestart.enabled`, with its default time of 120 s; default false. */
	readonly gracefulRestart?: boolean;
	/** Cilium's `ebgpMultihop`, as TTL; default: not set, which is 1. */
	readonly multihop?: number;
	/** TCP MD5 (RFC 2385). */
	readonly password?: string;
	/** The AS number that the speaker expects of the router. */
	readonly remoteAs?: number;
	/** Service addresses to announce, default the one of `network.ts`. */
	readonly services?: readonly string[];
}

/**
 * The configuration that has GoBGP behave as Cilium's agent, which uses it as a library (cilium, pkg/bgp/gobgp): both address
 * families towards each peer, no listening port, nothing imported, and the timers' defaults of CiliumBGPPeerConfig.
 */
export function gobgpConfig(options: GobgpOptions = {}): string {
	const { router, speaker } = network;
	const { family = 4, connectRetry = 120, holdTime = 90, gracefulRestart = false, multihop } = options;
	const { password, remoteAs = router.as } = options;
	const families = ["ipv4-unicast", "ipv6-unicast"].map(
		(name) => `[[neighbors.afi-safis]]
[neighbors.afi-safis.config]
afi-safi-name = "${name}"
[neighbors.afi-safis.mp-graceful-restart.config]
enabled = ${gracefulRestart}
`,
	);
	return `[global.config]
as = ${speaker.as}
router-id = "${speaker.address}"
port = -1
[[neighbors]]
[neighbors.config]
neighbor-address = "${family === 6 ? router.lan6 : router.lan}"
peer-as = ${remoteAs}
${password === undefined ? "" : `auth-password = "${password}"`}
[neighbors.timers.config]
connect-retry = ${connectRetry}
hold-time = ${holdTime}
keepalive-interval = ${Math.floor(holdTime / 3)}
[neighbors.graceful-restart.config]
enabled = ${gracefulRestart}
restart-time = 120
${multihop === undefined ? "" : `[neighbors.ebgp-multihop.config]\nenabled = true\nmultihop-ttl = ${multihop}`}
${families.join("")}`;
}

/** A running GoBGP. */
export interface Gobgp {
	readonly process: Process;
	/** Runs the command line client and returns what it prints. */
	gobgp(...argv: string[]): Promise<string>;
	/** BGP state towards the router in FRR's words (`Established`, `Active`, …). */
	peer(): Promise<{ bgp?: string | undefined }>;
	/** SIGTERM: it closes its sessions with a notification. */
	stop(): Promise<void>;
	/** SIGKILL: as Cilium's agent ends, which sends none. */
	crash(): Promise<void>;
	/** Disables the neighbor, which gets a notification, or enables it. */
	shutdown(down: boolean): Promise<void>;
}

/** Numbers of `session_state` in gobgp's JSON (osrg/gobgp, api/gobgp.proto, PeerState.SessionState). */
const STATES = ["Unknown", "Idle", "Connect", "Active", "OpenSent", "OpenConfirm", "Established"];

/** What `gobgp neighbor ADDRESS -j` says. */
interface Neighbor {
	readonly state?: { readonly session_state?: number };
}

/** Where scripts/speakers.sh has put a program. @throws Error that says how to get it */
function speakerProgram(name: string): string {
	const file = `${labDirectory}/speakers/${name}`;
	if (!existsSync(file)) throw new Error(`there is no .lab/speakers/${name}: run scripts/speakers.sh`);
	return file;
}

/** GoBGP's own version. */
export const gobgpVersion = "4.8.0";

/** Starts gobgpd and has it announce the services. */
export async function startGobgp(host: Host, options: GobgpOptions = {}): Promise<Gobgp> {
	const { family = 4, services = [family === 6 ? network.service6 : network.service] } = options;
	for (const name of ["gobgpd", "gobgp"])
		if (host.read(`/opt/speakers/${name}.there`) === undefined) {
			host.install(speakerProgram(name), `/opt/speakers/${name}`);
			host.write(`/opt/speakers/${name}.there`, "");
		}
	host.write("/etc/gobgpd.toml", gobgpConfig(options));
	const daemon = ["/opt/speakers/gobgpd", "-p", "-f", "/etc/gobgpd.toml", "--pprof-disable"];
	const process = host.start([...daemon, "--api-hosts", "127.0.0.1:50051"], {
		name: "gobgpd",
		urgent: true,
	});
	const gobgp = async (...argv: string[]): Promise<string> =>
		(await host.run(["/opt/speakers/gobgp", ...argv])).stdout;
	await until("gobgpd to answer", () => {
		process.mustRun();
		return gobgp("global");
	});
	for (const service of services)
		await gobgp("global", "rib", "add", service, "-a", service.includes(":") ? "ipv6" : "ipv4");
	const router = family === 6 ? network.router.lan6 : network.router.lan;
	return {
		process,
		gobgp,
		async peer() {
			const neighbor: Neighbor = JSON.parse(await gobgp("neighbor", router, "-j"));
			return { bgp: STATES[neighbor.state?.session_state ?? 0] };
		},
		async stop() {
			await process.end("SIGTERM");
		},
		async crash() {
			await process.end("SIGKILL");
		},
		async shutdown(down) {
			await gobgp("neighbor", router, down ? "disable" : "enable");
		},
	};
}
