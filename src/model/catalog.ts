/**
 * Everything that the daemon diagnoses and the doctor finds, once. Ids are public (MQTT, status.json, `doctor --json`): they are
 * only ever added. docs/diagnoses.md is held to this by a test.
 */

import { BFD_PORTS, BGP_PORT } from "./ports.ts";

/** `red`: broken now, or bound to break; `yellow`: worth changing; `green`: checked and fine. */
export type Level = "red" | "yellow" | "green";

export interface CatalogEntry {
	/** At its worst. */
	readonly gravity: "red" | "yellow";
	/** Who has to act: on this router, in the peer's configuration on this router, or at the other end. */
	readonly concerns: "router" | "peer" | "other end";
	/** A peer's diagnosis by the daemon: a remedy of the daemon's may end it. */
	readonly curable?: true;
	/** Restarting the peer in BIRD cannot end it, and may count against the peer: none is made while it is known. */
	readonly beyondRestart?: true;
	/**
	 * While one of these is true of the same subject, or of the router, this one is a consequence of it and is not told.
	 */
	readonly dependsOn?: readonly string[];
	/** What it means, in one sentence, whatever was seen in particular. */
	readonly explanation: string;
	/** What a person should do, in general. */
	readonly remedy: string;
}

/** Diagnoses of a peer by the daemon, the gravest first: the router's own line shows the first that any peer has. */
export const DIAGNOSIS_CATALOG = {
	"bird-down": {
		gravity: "red",
		concerns: "router",
		dependsOn: ["bird-client-missing"],
		explanation: "BIRD does not answer.",
		remedy: "Start BIRD; its log says why it ended, and `bird -p` checks its configuration.",
	},
	"route-kind": {
		gravity: "yellow",
		concerns: "router",
		explanation: "The router reaches the peer through a VPN, or through another device than before.",
		remedy: "Keep the peer's network out of that device.",
	},
	"peer-unreachable": {
		gravity: "red",
		concerns: "other end",
		explanation: "There is no route to the peer, or its host does not answer ARP or NDP.",
		remedy: "Check the node, its cable and its address.",
	},
	"own-route": {
		gravity: "red",
		concerns: "other end",
		beyondRestart: true,
		explanation: "The peer announces a route to its own address: each session breaks itself.",
		remedy: "Filter that route: `import where …` in BIRD, or what the speaker announces.",
	},
	hijacked: {
		gravity: "red",
		concerns: "router",
		curable: true,
		explanation: "A rule redirects, queues or drops BGP on this router.",
		remedy: `Add a bypass for the peer and TCP port ${BGP_PORT} to the program that made the rule.`,
	},
	blocked: {
		gravity: "red",
		concerns: "router",
		explanation: "The firewall (fw4) rejects or drops BGP.",
		remedy: `Set \`option zone\` to the peer's zone, or allow TCP port ${BGP_PORT} in /etc/config/firewall.`,
	},
	"reply-dropped": {
		gravity: "red",
		concerns: "router",
		explanation: "A rule drops the router's own SYN-ACK.",
		remedy: `Exclude TCP source port ${BGP_PORT} from that rule.`,
	},
	tracked: {
		gravity: "red",
		concerns: "router",
		curable: true,
		explanation: "conntrack still tracks the session.",
		remedy: "`bgpwarden status` shows why the table cannot be installed.",
	},
	"not-listening": {
		gravity: "red",
		concerns: "peer",
		beyondRestart: true,
		explanation:
			"BIRD does not listen on the peer's address and port: another program has them, or the address is missing.",
		remedy:
			"Free the port or add the address; bgpwarden then enables the peer. Check `local`, `port` and `strict bind`.",
	},
	"local-address-missing": {
		gravity: "red",
		concerns: "peer",
		beyondRestart: true,
		explanation: "BIRD's `local` address is on no interface of this router.",
		remedy: "Add the address to the interface, or correct `local` in bird.conf.",
	},
	"unknown-address": {
		gravity: "red",
		concerns: "peer",
		beyondRestart: true,
		explanation: "A host of the peer's network dials from an address that BIRD has no peer for.",
		remedy: "Set `neighbor` in bird.conf to the address that dials, or the node's address to BIRD's.",
	},
	"no-answer": {
		gravity: "red",
		concerns: "peer",
		curable: true,
		explanation: "The peer's SYN reaches BIRD's port, and nothing answers.",
		remedy: "Use the same TCP MD5 password (or TCP-AO key) on both sides.",
	},
	"answer-lost": {
		gravity: "red",
		concerns: "other end",
		curable: true,
		explanation: "The router answers the peer's SYN, and the answer does not arrive.",
		remedy: "Allow the router's TCP answers on the node and on the way to it.",
	},
	rejected: {
		gravity: "red",
		concerns: "peer",
		beyondRestart: true,
		explanation: "One side refuses the other's OPEN.",
		remedy: "Make AS numbers, router ids and hold times agree.",
	},
	"peer-shutdown": {
		gravity: "red",
		concerns: "other end",
		beyondRestart: true,
		explanation: "The other side has shut the session down.",
		remedy: "Enable the session on the other side.",
	},
	"route-limit": {
		gravity: "red",
		concerns: "peer",
		beyondRestart: true,
		explanation: "One side announces more routes than the other takes.",
		remedy: "Announce fewer routes, or raise the limit.",
	},
	"disabled-by-bird": {
		gravity: "red",
		concerns: "peer",
		beyondRestart: true,
		explanation: "BIRD has disabled the peer after an error, and does not try again.",
		remedy: "Remove the cause of the error, then `birdc enable PEER`.",
	},
	"handshake-stuck": {
		gravity: "red",
		concerns: "other end",
		curable: true,
		explanation: "TCP is connected, and BGP's handshake does not get any further.",
		remedy:
			"Check what lets the handshake's first packets pass and not the next ones: a firewall, the MTU, TTL security.",
	},
	"bfd-not-sending": {
		gravity: "red",
		concerns: "peer",
		curable: true,
		explanation: "BIRD has a BFD session with the peer and sends no packets.",
		remedy: "`birdc restart PEER` has BIRD open its BFD socket again.",
	},
	"peer-silent": {
		gravity: "red",
		concerns: "other end",
		curable: true,
		explanation: "The peer's host is alive, and its BGP does not connect.",
		remedy: "Set `ebgpMultiHop: true` in MetalLB's BGPPeer.",
	},
	"range-waiting": {
		gravity: "red",
		concerns: "other end",
		dependsOn: ["bgp-caught", "bgp-blocked", "answer-dropped"],
		beyondRestart: true,
		explanation: "No node of a `neighbor range` is connected, and none has dialed.",
		remedy: "Check that the speakers run and dial this router.",
	},
	waiting: {
		gravity: "red",
		concerns: "other end",
		dependsOn: ["bgp-caught", "bgp-blocked", "answer-dropped"],
		curable: true,
		explanation: "Nothing on this router is in the way; the peer has yet to dial.",
		remedy: "Wait for the peer's next dial, or shorten its connect timer.",
	},
	flapping: {
		gravity: "yellow",
		concerns: "other end",
		explanation: "The session was lost three times or more within ten minutes.",
		remedy: "See what precedes each loss.",
	},
	"bfd-mode-mismatch": {
		gravity: "red",
		concerns: "peer",
		dependsOn: ["bfd-down-session-up"],
		explanation: `One side runs single-hop BFD (UDP ${BFD_PORTS.singleHop}), the other multihop BFD (UDP ${BFD_PORTS.multihop}).`,
		remedy: "Use multihop on both sides or on neither; `bgpwarden render` prints a matching pair.",
	},
	"bfd-one-way": {
		gravity: "yellow",
		concerns: "other end",
		explanation: "The router hears the peer's BFD, and the peer does not hear the router's.",
		remedy: "Allow BFD from the router on the node and on the way to it.",
	},
	"bfd-down-session-up": {
		gravity: "yellow",
		concerns: "peer",
		explanation: "The session is up without BFD.",
		remedy: "Set `bfdProfile` in MetalLB's BGPPeer, or `bfd off` in BIRD.",
	},
	"node-gone": {
		gravity: "yellow",
		concerns: "other end",
		beyondRestart: true,
		explanation: "A node of a `neighbor range` has gone; BIRD still has its peer.",
		remedy: "Nothing to do: BIRD forgets it when it is reconfigured or restarted.",
	},
	disabled: {
		gravity: "yellow",
		concerns: "peer",
		beyondRestart: true,
		explanation: "The peer is disabled in BIRD, by hand or in bird.conf.",
		remedy: "`birdc enable PEER`, when it is to be up again.",
	},
	healthy: {
		gravity: "yellow",
		concerns: "peer",
		explanation: "The session is Established, with BFD where BIRD has it configured.",
		remedy: "Nothing to do.",
	},
} as const satisfies Readonly<Record<string, CatalogEntry>>;

/** What `doctor` finds besides. */
export const FINDING_CATALOG = {
	"daemon-off": {
		gravity: "yellow",
		concerns: "router",
		explanation: "bgpwarden is disabled (option enabled '0').",
		remedy: "Set `option enabled` to '1' and start the service.",
	},
	"daemon-not-running": {
		gravity: "red",
		concerns: "router",
		explanation: "The daemon does not run: the table is not repaired, and no peer is watched.",
		remedy: "Enable and start the service; its log says why it ended.",
	},
	problem: {
		gravity: "red",
		concerns: "router",
		explanation: "Something keeps the daemon from its work; the sentence says what.",
		remedy: "`bgpwarden events` shows what happened before.",
	},
	"config-errors": {
		gravity: "red",
		concerns: "router",
		explanation: "The configuration file has a mistake.",
		remedy: "Correct it; the daemon uses its last good configuration, or defaults where there is none.",
	},
	"zone-missing": {
		gravity: "red",
		concerns: "router",
		explanation: "`option zone` names a firewall zone that does not exist: no rule opens BGP's ports.",
		remedy: "Name a zone of /etc/config/firewall.",
	},
	"ruleset-unreadable": {
		gravity: "red",
		concerns: "router",
		explanation: "nft cannot list the ruleset.",
		remedy: "Run `nft -j list ruleset` to see why.",
	},
	"nft-missing": {
		gravity: "red",
		concerns: "router",
		explanation: "nft is not installed.",
		remedy: "Install nftables-json.",
	},
	"table-missing": {
		gravity: "red",
		concerns: "router",
		explanation: "The table is not in the kernel: conntrack and NAT can catch BGP.",
		remedy: "Run `bgpwarden ensure`, or start the service.",
	},
	"table-released": {
		gravity: "red",
		concerns: "router",
		explanation: "The table was released on request: it is neither owned nor repaired.",
		remedy: "Run `bgpwarden ensure` to protect it again.",
	},
	"table-file-missing": {
		gravity: "yellow",
		concerns: "router",
		explanation: "/etc/bgpwarden/table.nft is missing or has another text than the daemon wants.",
		remedy: "Run `bgpwarden ensure`.",
	},
	"cannot-own": {
		gravity: "yellow",
		concerns: "router",
		explanation: "The kernel or nft is too old to give the table an owner.",
		remedy: "Nothing to do: what others change is repaired within milliseconds.",
	},
	"conntrack-missing": {
		gravity: "yellow",
		concerns: "router",
		explanation: "conntrack is not installed: stale entries cannot be deleted.",
		remedy: "Install the package conntrack.",
	},
	"bird-client-missing": {
		gravity: "red",
		concerns: "router",
		explanation: "There is no birdcl: BIRD's peers cannot be watched or restarted.",
		remedy: "Install bird2cl or bird3cl, whichever belongs to BIRD.",
	},
	"openssl-missing": {
		gravity: "red",
		concerns: "router",
		explanation: "MQTT uses TLS, and openssl is not installed.",
		remedy: "Install openssl-util.",
	},
	"nc-missing": {
		gravity: "red",
		concerns: "router",
		explanation: "MQTT is enabled, and there is no nc.",
		remedy: "Install busybox with nc.",
	},
	"mqtt-off": {
		gravity: "yellow",
		concerns: "router",
		explanation: "MQTT is enabled in the configuration, and the daemon has not loaded it yet.",
		remedy: "Reload the service.",
	},
	"mqtt-not-connected": {
		gravity: "yellow",
		concerns: "router",
		dependsOn: ["openssl-missing", "nc-missing"],
		explanation: "The daemon is not connected to the broker: Home Assistant shows the router as unavailable.",
		remedy: "Check host, port, user and password, and the broker's log.",
	},
	"mqtt-message-refused": {
		gravity: "yellow",
		concerns: "router",
		explanation: "The broker hangs up at a message, which is left out, or acknowledges it and drops it.",
		remedy: "Raise the broker's limit of size, or correct its access list.",
	},
	"clock-not-set": {
		gravity: "red",
		concerns: "router",
		explanation: "The clock is not set: times are wrong, and TLS refuses certificates.",
		remedy: "Restart sysntpd, and check the route to the NTP servers.",
	},
	"include-touches-table": {
		gravity: "red",
		concerns: "router",
		explanation: "An include of fw4's names the table.",
		remedy: "Remove the include: bgpwarden keeps the table by itself.",
	},
	"firewall-missing": {
		gravity: "red",
		concerns: "router",
		explanation: "fw4's table is missing: the router has no firewall.",
		remedy: "Start the firewall: `service firewall restart`; the log says why it failed.",
	},
	"firewall-include-missing": {
		gravity: "yellow",
		concerns: "router",
		explanation: "The firewall does not tell bgpwarden of its restarts.",
		remedy: "Add the include that the finding names.",
	},
	"legacy-iptables": {
		gravity: "yellow",
		concerns: "router",
		explanation: "iptables-legacy has rules, which nft does not show: they were not checked.",
		remedy: "`iptables-legacy-save` shows them.",
	},
	"bgp-caught": {
		gravity: "red",
		concerns: "router",
		dependsOn: ["hijacked", "tracked"],
		explanation: "A rule takes the peer's SYN: a transparent proxy, a queue, a redirect or other NAT.",
		remedy: "Exempt the peer's address in the program that made the rule.",
	},
	"bgp-blocked": {
		gravity: "red",
		concerns: "router",
		dependsOn: ["hijacked", "blocked"],
		explanation: "A rule or a policy drops or rejects the peer's SYN.",
		remedy: `Allow TCP port ${BGP_PORT} from the peer; \`option zone\` has bgpwarden do it.`,
	},
	"answer-dropped": {
		gravity: "red",
		concerns: "router",
		dependsOn: ["reply-dropped"],
		explanation: "A rule drops the router's SYN-ACK, for conntrack has not seen the SYN.",
		remedy: "Run `bgpwarden ensure`: the table keeps answers out of conntrack too.",
	},
	"answer-diverted": {
		gravity: "yellow",
		concerns: "router",
		dependsOn: ["reply-dropped"],
		explanation: "A rule marks or queues the router's SYN-ACK, which may leave by another route.",
		remedy: "Set `option route_mark`, or exempt the peer in the program that made the rule.",
	},
	"connect-caught": {
		gravity: "red",
		concerns: "router",
		explanation: "A rule takes the SYN that the router itself sends to the peer.",
		remedy: "Exempt the peer's address in the program that made the rule, or set `passive on` in BIRD.",
	},
	"connect-blocked": {
		gravity: "red",
		concerns: "router",
		explanation: "A rule drops or rejects the SYN that the router itself sends to the peer.",
		remedy: "Allow it, or set `passive on` in BIRD.",
	},
	"bfd-caught": {
		gravity: "red",
		concerns: "router",
		dependsOn: ["hijacked", "blocked"],
		explanation: "A rule takes or drops BFD from the peer.",
		remedy: `Allow UDP ${BFD_PORTS.singleHop} and ${BFD_PORTS.multihop} from the peer.`,
	},
	"bfd-blocked": {
		gravity: "red",
		concerns: "router",
		dependsOn: ["blocked"],
		explanation: "A rule drops or rejects BFD to the peer.",
		remedy: `Allow UDP ${BFD_PORTS.singleHop} and ${BFD_PORTS.multihop} to the peer.`,
	},
	"peer-down": {
		gravity: "red",
		concerns: "peer",
		dependsOn: ["bgp-caught", "bgp-blocked", "answer-dropped"],
		explanation: "The session is down, and the cause is not known yet.",
		remedy: "Wait for the daemon's diagnosis, or trace the peer.",
	},
	"bird-conf-unreadable": {
		gravity: "yellow",
		concerns: "router",
		explanation: "bird.conf, or a part of it, could not be read.",
		remedy: "`bird -p` checks it.",
	},
	"no-peer": {
		gravity: "red",
		concerns: "router",
		explanation: "bird.conf has no protocol bgp.",
		remedy: "`bgpwarden render bird` prints one from the configured peers.",
	},
	"peer-unknown-to-bird": {
		gravity: "red",
		concerns: "peer",
		explanation: "A peer of /etc/config/bgpwarden is not a protocol of BIRD's.",
		remedy: "Use the protocol's name of bird.conf.",
	},
	"peer-differs": {
		gravity: "yellow",
		concerns: "peer",
		explanation: "/etc/config/bgpwarden and BIRD disagree about a peer.",
		remedy: "Make them agree.",
	},
	"restart-without-passive": {
		gravity: "yellow",
		concerns: "peer",
		explanation: "`graceful restart` is on and `passive` is not: after a reboot both ends connect.",
		remedy: "Set `passive on` in the protocol.",
	},
	"device-missing": {
		gravity: "red",
		concerns: "router",
		explanation: "bird.conf has no protocol device: BIRD knows no interfaces.",
		remedy: "Add `protocol device { }`.",
	},
	"kernel-missing": {
		gravity: "yellow",
		concerns: "router",
		explanation: "No protocol kernel exports routes: learned routes do not reach the kernel.",
		remedy: "Add `protocol kernel { ipv4 { export all; }; }`.",
	},
	"direct-missing": {
		gravity: "red",
		concerns: "router",
		explanation:
			"A multihop session has no protocol direct: BIRD cannot resolve the next hops of its routes.",
		remedy: "Add protocol direct with the interface towards the peer.",
	},
	"bfd-off": {
		gravity: "yellow",
		concerns: "peer",
		explanation: "BFD is configured for the peer and off in BIRD.",
		remedy: "Set `bfd on` in the protocol.",
	},
	"bfd-missing": {
		gravity: "red",
		concerns: "peer",
		dependsOn: ["bfd-down-session-up"],
		explanation: "`bfd` is on, and bird.conf has no protocol bfd.",
		remedy: "Add `protocol bfd { }`.",
	},
	"bfd-not-accepted": {
		gravity: "red",
		concerns: "peer",
		dependsOn: ["bfd-down-session-up"],
		explanation: "`accept` in protocol bfd leaves the peer's sessions out.",
		remedy: "Widen `accept`.",
	},
} as const satisfies Readonly<Record<string, CatalogEntry>>;

export type DiagnosisId = keyof typeof DIAGNOSIS_CATALOG;
export type FindingId = DiagnosisId | keyof typeof FINDING_CATALOG;

/** Every diagnosis, the gravest first. */
export const DIAGNOSES = Object.keys(DIAGNOSIS_CATALOG) as readonly DiagnosisId[];

/** @returns undefined for an id that is in no catalog, as a later version's */
export function catalogEntry(id: string): CatalogEntry | undefined {
	if (Object.hasOwn(DIAGNOSIS_CATALOG, id)) return DIAGNOSIS_CATALOG[id as DiagnosisId];
	return Object.hasOwn(FINDING_CATALOG, id) ? FINDING_CATALOG[id as keyof typeof FINDING_CATALOG] : undefined;
}
