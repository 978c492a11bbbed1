import type { Host } from "../host.ts";
import { network } from "../network.ts";
import type { Process } from "../process.ts";
import { until } from "../wait.ts";

export interface FrrOptions {
	/**
	 * Who writes FRR's configuration: FRR-K8s, which is MetalLB's default since 0.16, or MetalLB's FRR mode as it was until
	 * then. Default `frr-k8s`.
	 */
	readonly mode?: "frr-k8s" | "frr";
	/** `ebgpMultiHop` of the article's BGPPeer; default true. */
	readonly multihop?: boolean;
	/** Address family of the session; default 4. */
	readonly family?: 4 | 6;
	/** The AS number that the speaker expects of the router. */
	readonly remoteAs?: number;
	/** TCP MD5 (RFC 2385). */
	readonly password?: string;
	/** Default true. */
	readonly bfd?: boolean;
	/** Seconds between two dials; default: FRR's own 120. */
	readonly connectTime?: number;
	/** `enableGracefulRestart` of BGPPeer; default false. */
	readonly gracefulRestart?: boolean;
	/** Service addresses to announce, default the one of `network.ts`. */
	readonly services?: readonly string[];
	/** The node's own address, its router id; default the speaker's. */
	readonly address?: string;
	/** The node's name; default that of the host it runs on. */
	readonly hostname?: string;
	/** The port that the router listens on (`peerPort`); default 179. */
	readonly port?: number;
	/** The configuration's text, in the place of the article's. */
	readonly config?: string;
	/** Whether to run zebra, as MetalLB's FRR container does; default true. */
	readonly zebra?: boolean;
	/** Whether bgpd listens on port 179; default false, as in MetalLB's and FRR-K8s's containers. */
	readonly listen?: boolean;
}

/** Lines of a configuration; those that are false are left out. */
function lines(...all: readonly (string | false)[]): string {
	return all.filter((line) => line !== false).join("\n");
}

/** The filters towards the router, as FRR-K8s writes them: both families each, and nothing let in. */
function frrK8sFilters(neighbor: string, family: 4 | 6, services: readonly string[]): string {
	const permitted = services.map((prefix, index) => `seq ${index + 1} permit ${prefix}`);
	const allowed = (own: boolean) => (own && permitted.length > 0 ? permitted : ["seq 1 deny any"]);
	const inbound = `${neighbor}-inpl-ipv${family}`;
	return lines(
		...allowed(family === 4).map((entry) => `ip prefix-list ${neighbor}-allowed-ipv4 ${entry}`),
		...allowed(family === 6).map((entry) => `ipv6 prefix-list ${neighbor}-allowed-ipv6 ${entry}`),
		`route-map ${neighbor}-out permit 1`,
		`  match ip address prefix-list ${neighbor}-allowed-ipv4`,
		`route-map ${neighbor}-out permit 2`,
		`  match ipv6 address prefix-list ${neighbor}-allowed-ipv6`,
		`ip prefix-list ${inbound} seq 1 deny any`,
		`ipv6 prefix-list ${inbound} seq 2 deny any`,
		`route-map ${neighbor}-in permit 3`,
		`  match ip address prefix-list ${inbound}`,
		`route-map ${neighbor}-in permit 4`,
		`  match ipv6 address prefix-list ${inbound}`,
	);
}

/** The filters of MetalLB's FRR mode. */
function frrModeFilters(neighbor: string, family: 4 | 6, services: readonly string[]): string {
	const ip = family === 6 ? "ipv6" : "ip";
	return lines(
		`route-map ${neighbor}-in deny 20`,
		...services.map((prefix) => `${ip} prefix-list ${neighbor}-allowed-ipv${family} permit ${prefix}`),
		`route-map ${neighbor}-out permit 1`,
		`  match ${ip} address prefix-list ${neighbor}-allowed-ipv${family}`,
	);
}

/**
 * The configuration for the article's BGPPeer and BFDProfile: what FRR-K8s writes (frr-k8s, internal/frr/templates; its golden
 * files in internal/frr/testdata have the order), or MetalLB's FRR mode (metallb, internal/bgp/frr/templates).
 */
export function frrConfig(options: FrrOptions = {}): string {
	const { router, speaker } = network;
	const { mode = "frr-k8s", multihop = true, family = 4, remoteAs = router.as, port = 179 } = options;
	const { password, bfd = true, connectTime, gracefulRestart = false } = options;
	const { services = [family === 6 ? network.service6 : network.service] } = options;
	const { address: routerId = speaker.address, hostname = "speaker" } = options;
	const address = family === 6 ? router.lan6 : router.lan;
	const neighbor = `  neighbor ${address}`;
	const isFrrK8s = mode === "frr-k8s";
	return `${lines(
		"log stdout informational",
		"log timestamp precision 3",
		`hostname ${hostname}`,
		"ip nht resolve-via-default",
		"ipv6 nht resolve-via-default",
		(isFrrK8s ? frrK8sFilters : frrModeFilters)(address, family, services),
		`router bgp ${speaker.as}`,
		"  no bgp ebgp-requires-policy",
		"  no bgp network import-check",
		"  no bgp default ipv4-unicast",
		isFrrK8s && "  bgp graceful-restart preserve-fw-state",
		`  bgp router-id ${routerId}`,
		`${neighbor} remote-as ${remoteAs}`,
		multihop && `${neighbor} ebgp-multihop`,
		`${neighbor} port ${port}`,
		`${neighbor} timers 5 15`,
		connectTime !== undefined && `${neighbor} timers connect ${connectTime}`,
		password !== undefined && `${neighbor} password ${password}`,
		gracefulRestart && `${neighbor} graceful-restart`,
		bfd && `${neighbor} bfd\n${neighbor} bfd profile bfdprofile`,
		// An IPv6 peer with one hop: FRR may not take a link-local next hop for connected.
		isFrrK8s && family === 6 && !multihop && `${neighbor} disable-connected-check`,
		`  address-family ipv${family} unicast`,
		`  ${neighbor} activate`,
		`  ${neighbor} route-map ${address}-in in`,
		`  ${neighbor} route-map ${address}-out out`,
		"  exit-address-family",
		`  address-family ipv${family} unicast`,
		...services.map((prefix) => `    network ${prefix}`),
		"  exit-address-family",
		"bfd",
		"  profile bfdprofile",
		"    receive-interval 380",
		"    transmit-interval 270",
	)}\n`;
}

/** A running FRR: mgmtd (where there is one), zebra, bgpd and bfdd. */
export interface Frr {
	readonly processes: readonly Process[];
	/** Runs vtysh commands, one after the other, and returns what they print. */
	vtysh(...commands: string[]): Promise<string>;
	/** BGP state (`Established`, `Active`, …) and BFD state (`up`, `down`) towards the router. */
	peer(family?: 4 | 6): Promise<{ bgp?: string | undefined; bfd?: string | undefined }>;
	/** SIGTERM to all daemons. */
	stop(): Promise<void>;
	/** SIGKILL to all daemons. */
	crash(): Promise<void>;
	/** `neighbor … shutdown` towards the router, or its `no`. */
	shutdown(down: boolean): Promise<void>;
}

/** Starts FRR's daemons and loads the configuration with `vtysh -b`, as its container does. */
export async function startFrr(host: Host, options: FrrOptions = {}): Promise<Frr> {
	const hostname = (await host.run(["hostname"])).stdout.trim();
	host.write("/etc/frr/frr.conf", options.config ?? frrConfig({ hostname, ...options }), 0o640);
	await host.run(["install", "-d", "-o", "frr", "-g", "frr", "/run/frr", "/var/tmp/frr"]);
	await host.run(["chown", "frr:frr", "/etc/frr/frr.conf"]);
	// Since FRR 9.
	const hasMgmtd = (await host.run(["test", "-e", "/usr/lib/frr/mgmtd"], { allowFailure: true })).code === 0;
	const names = [
		...(hasMgmtd ? ["mgmtd"] : []),
		...(options.zebra === false ? [] : ["zebra"]),
		"bgpd",
		"bfdd",
	];
	const processes: Process[] = [];
	for (const name of names) {
		const argv = [`/usr/lib/frr/${name}`, "-A", "127.0.0.1", "--log", "stdout"];
		// -Z: without zebra it must not wait for it. -p 0: it dials only (frr-k8s, config/frr-k8s/frr-cm.yaml).
		if (name === "bgpd" && options.zebra === false) argv.push("-Z");
		if (name === "bgpd" && options.listen !== true) argv.push("-p", "0");
		const daemon = host.start(argv, { name, urgent: true });
		processes.push(daemon);
		await until(
			`FRR's ${name} to answer`,
			async () => {
				daemon.mustRun();
				const answer = await host.run(["vtysh", "-d", name, "-c", "show version"], { allowFailure: true });
				return answer.code === 0 ? answer.stdout : `${answer.stderr}${daemon.tail()}`;
			},
			{ holds: (answer) => answer.includes("FRRouting") },
		);
	}

	const vtysh = async (...commands: string[]): Promise<string> => {
		const { stdout } = await host.run(["vtysh", ...commands.flatMap((command) => ["-c", command])]);
		return stdout;
	};
	// It tells only those daemons whose sockets are there, and says nothing of the others.
	await host.run(["vtysh", "-b"]);
	const end = async (signal: NodeJS.Signals): Promise<void> => {
		await Promise.all(processes.map((process) => process.end(signal)));
	};
	return {
		processes,
		vtysh,
		async peer(family = options.family ?? 4) {
			const neighbor = family === 6 ? network.router.lan6 : network.router.lan;
			const bgp = await vtysh(`show bgp neighbors ${neighbor}`);
			const bfd = await vtysh("show bfd peers");
			return { bgp: bgp.match(/BGP state = (\w+)/)?.[1], bfd: bfd.match(/Status: (\w+)/)?.[1] };
		},
		stop: () => end("SIGTERM"),
		crash: () => end("SIGKILL"),
		async shutdown(down) {
			const neighbor = options.family === 6 ? network.router.lan6 : network.router.lan;
			const line = `${down ? "" : "no "}neighbor ${neighbor} shutdown`;
			await vtysh("configure", `router bgp ${network.speaker.as}`, line, "end");
		},
	};
}
