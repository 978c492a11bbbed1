import type { Host } from "../host.ts";
import { network } from "../network.ts";
import type { Process } from "../process.ts";
import { until } from "../wait.ts";

export interface FrrOptions {
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
	/** Service addresses to announce, default the one of `network.ts`. */
	readonly services?: readonly string[];
	/** The configuration's text, in the place of the article's. */
	readonly config?: string;
	/** Whether to run zebra, as MetalLB's FRR container does; default true. */
	readonly zebra?: boolean;
}

/**
 * The configuration MetalLB's FRR mode writes for the article's BGPPeer and BFDProfile (metallb,
 * internal/bgp/frr/templates/frr.tmpl).
 */
export function frrConfig(options: FrrOptions = {}): string {
	const { router, speaker } = network;
	const { multihop = true, family = 4, remoteAs = router.as, password, bfd = true, connectTime } = options;
	const { services = [family === 6 ? network.service6 : network.service] } = options;
	const neighbor = family === 6 ? router.lan6 : router.lan;
	const ip = family === 6 ? "ipv6" : "ip";
	return `log stdout informational
log timestamp precision 3
hostname speaker
ip nht resolve-via-default
ipv6 nht resolve-via-default
route-map ${neighbor}-in deny 20
${services.map((prefix) => `${ip} prefix-list ${neighbor}-allowed-ipv${family} permit ${prefix}`).join("\n")}
route-map ${neighbor}-out permit 1
 match ${ip} address prefix-list ${neighbor}-allowed-ipv${family}
exit
router bgp ${speaker.as}
 no bgp ebgp-requires-policy
 no bgp network import-check
 no bgp default ipv4-unicast
 bgp router-id ${speaker.address}
 neighbor ${neighbor} remote-as ${remoteAs}
 ${multihop ? `neighbor ${neighbor} ebgp-multihop` : ""}
 neighbor ${neighbor} port 179
 neighbor ${neighbor} timers 5 15
 ${connectTime === undefined ? "" : `neighbor ${neighbor} timers connect ${connectTime}`}
 ${bfd ? `neighbor ${neighbor} bfd\n neighbor ${neighbor} bfd profile bfdprofile` : ""}
 ${password === undefined ? "" : `neighbor ${neighbor} password ${password}`}
 address-family ipv${family} unicast
  neighbor ${neighbor} activate
  neighbor ${neighbor} route-map ${neighbor}-in in
  neighbor ${neighbor} route-map ${neighbor}-out out
${services.map((prefix) => `  network ${prefix}`).join("\n")}
 exit-address-family
exit
bfd
 profile bfdprofile
  receive-interval 380
  transmit-interval 270
 exit
exit
`;
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
}

/** Starts FRR's daemons and loads the configuration with `vtysh -b`, as its container does. */
export async function startFrr(host: Host, options: FrrOptions = {}): Promise<Frr> {
	host.write("/etc/frr/frr.conf", options.config ?? frrConfig(options), 0o640);
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
		// bgpd -Z: without zebra it must not wait for it.
		const alone = name === "bgpd" && options.zebra === false ? ["-Z"] : [];
		const argv = [`/usr/lib/frr/${name}`, "-A", "127.0.0.1", "--log", "stdout", ...alone];
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
	};
}
