import type { CatalogEntry } from "./catalog-entry.ts";
import { SERVICE_CATALOG } from "./service-catalog.ts";

/** What `doctor` finds besides. */
export const FINDING_CATALOG = {
	/** bgpwarden is disabled (option enabled '0'). Set `option enabled` to '1' and start the service. */
	"daemon-off": {
		gravity: "yellow",
		concerns: "router",
	},
	/**
	 * The daemon does not run: the table is not repaired, and no peer is watched. Enable and start the
	 * service; its log says why it ended.
	 */
	"daemon-not-running": {
		gravity: "red",
		concerns: "router",
	},
	/**
	 * Something keeps the daemon from its work; the sentence says what. `bgpwarden events` shows what happened
	 * before.
	 */
	problem: {
		gravity: "red",
		concerns: "router",
	},
	/**
	 * The configuration file has a mistake. Correct it; the daemon uses its last good configuration, or
	 * defaults where there is none.
	 */
	"config-errors": {
		gravity: "red",
		concerns: "router",
	},
	/**
	 * `option zone` names a firewall zone that does not exist: no rule opens BGP's ports. Name a zone of
	 * /etc/config/firewall.
	 */
	"zone-missing": {
		gravity: "red",
		concerns: "router",
	},
	/** nft cannot list the ruleset. Run `nft -j list ruleset` to see why. */
	"ruleset-unreadable": {
		gravity: "red",
		concerns: "router",
	},
	/** nft is not installed. Install nftables-json. */
	"nft-missing": {
		gravity: "red",
		concerns: "router",
	},
	/**
	 * The table is not in the kernel: conntrack and NAT can catch BGP. Run `bgpwarden ensure`, or start the
	 * service.
	 */
	"table-missing": {
		gravity: "red",
		concerns: "router",
	},
	/**
	 * The table was released on request: it is neither owned nor repaired. Run `bgpwarden ensure` to protect
	 * it again.
	 */
	"table-released": {
		gravity: "red",
		concerns: "router",
	},
	/** /etc/bgpwarden/table.nft is missing or has another text than the daemon wants. Run `bgpwarden ensure`. */
	"table-file-missing": {
		gravity: "yellow",
		concerns: "router",
	},
	/**
	 * The kernel or nft is too old to give the table an owner. Nothing to do: what others change is repaired
	 * within milliseconds.
	 */
	"cannot-own": {
		gravity: "yellow",
		concerns: "router",
	},
	/** conntrack is not installed: stale entries cannot be deleted. Install the package conntrack. */
	"conntrack-missing": {
		gravity: "yellow",
		concerns: "router",
	},
	/**
	 * There is no birdcl: BIRD's peers cannot be watched or restarted. Install bird2cl or bird3cl, whichever
	 * belongs to BIRD.
	 */
	"bird-client-missing": {
		gravity: "red",
		concerns: "router",
	},
	/** MQTT uses TLS, and openssl is not installed. Install openssl-util. */
	"openssl-missing": {
		gravity: "red",
		concerns: "router",
	},
	/** MQTT is enabled, and there is no nc. Install busybox with nc. */
	"nc-missing": {
		gravity: "red",
		concerns: "router",
	},
	/** MQTT is enabled in the configuration, and the daemon has not loaded it yet. Reload the service. */
	"mqtt-off": {
		gravity: "yellow",
		concerns: "router",
	},
	/**
	 * The daemon is not connected to the broker: Home Assistant shows the router as unavailable. Check host,
	 * port, user and password, and the broker's log.
	 */
	"mqtt-not-connected": {
		gravity: "yellow",
		concerns: "router",
		dependsOn: ["openssl-missing", "nc-missing"],
	},
	/**
	 * The broker hangs up at a message, which is left out, or acknowledges it and drops it. Raise the broker's
	 * limit of size, or correct its access list.
	 */
	"mqtt-message-refused": {
		gravity: "yellow",
		concerns: "router",
	},
	/**
	 * The clock is not set: times are wrong, and TLS refuses certificates. Restart sysntpd, and check the
	 * route to the NTP servers.
	 */
	"clock-not-set": {
		gravity: "red",
		concerns: "router",
	},
	/** An include of fw4's names the table. Remove the include: bgpwarden keeps the table by itself. */
	"include-touches-table": {
		gravity: "red",
		concerns: "router",
	},
	/**
	 * fw4's table is missing: the router has no firewall. Start the firewall: `service firewall restart`; the
	 * log says why it failed.
	 */
	"firewall-missing": {
		gravity: "red",
		concerns: "router",
	},
	/** The firewall does not tell bgpwarden of its restarts. Add the include that the finding names. */
	"firewall-include-missing": {
		gravity: "yellow",
		concerns: "router",
	},
	/**
	 * iptables-legacy has rules, which nft does not show: they were not checked. `iptables-legacy-save` shows
	 * them.
	 */
	"legacy-iptables": {
		gravity: "yellow",
		concerns: "router",
	},
	/**
	 * A rule takes the peer's SYN: a transparent proxy, a queue, a redirect or other NAT. Exempt the peer's
	 * address in the program that made the rule.
	 */
	"bgp-caught": {
		gravity: "red",
		concerns: "router",
		dependsOn: ["hijacked", "tracked"],
	},
	/**
	 * A rule or a policy drops or rejects the peer's SYN. Allow TCP port 179 from the peer; `option zone` has
	 * bgpwarden do it.
	 */
	"bgp-blocked": {
		gravity: "red",
		concerns: "router",
		dependsOn: ["hijacked", "blocked"],
	},
	/**
	 * A rule drops the router's SYN-ACK, for conntrack has not seen the SYN. Run `bgpwarden ensure`: the table
	 * keeps answers out of conntrack too.
	 */
	"answer-dropped": {
		gravity: "red",
		concerns: "router",
		dependsOn: ["reply-dropped"],
	},
	/**
	 * A rule marks or queues the router's SYN-ACK, which may leave by another route. Set `option route_mark`,
	 * or exempt the peer in the program that made the rule.
	 */
	"answer-diverted": {
		gravity: "yellow",
		concerns: "router",
		dependsOn: ["reply-dropped"],
	},
	/**
	 * A rule takes the SYN that the router itself sends to the peer. Exempt the peer's address in the program
	 * that made the rule, or set `passive on` in BIRD.
	 */
	"connect-caught": {
		gravity: "red",
		concerns: "router",
	},
	/**
	 * A rule drops or rejects the SYN that the router itself sends to the peer. Allow it, or set `passive on`
	 * in BIRD.
	 */
	"connect-blocked": {
		gravity: "red",
		concerns: "router",
	},
	/** A rule takes or drops BFD from the peer. Allow UDP 3784 and 4784 from the peer. */
	"bfd-caught": {
		gravity: "red",
		concerns: "router",
		dependsOn: ["hijacked", "blocked"],
	},
	/** A rule drops or rejects BFD to the peer. Allow UDP 3784 and 4784 to the peer. */
	"bfd-blocked": {
		gravity: "red",
		concerns: "router",
		dependsOn: ["blocked"],
	},
	/** The session is down, and the cause is not known yet. Wait for the daemon's diagnosis, or trace the peer. */
	"peer-down": {
		gravity: "red",
		concerns: "peer",
		dependsOn: ["bgp-caught", "bgp-blocked", "answer-dropped"],
	},
	/** bird.conf, or a part of it, could not be read. `bird -p` checks it. */
	"bird-conf-unreadable": {
		gravity: "yellow",
		concerns: "router",
	},
	/** bird.conf has no protocol bgp. `bgpwarden render bird` prints one from the configured peers. */
	"no-peer": {
		gravity: "red",
		concerns: "router",
	},
	/** A peer of /etc/config/bgpwarden is not a protocol of BIRD's. Use the protocol's name of bird.conf. */
	"peer-unknown-to-bird": {
		gravity: "red",
		concerns: "peer",
	},
	/**
	 * bird.conf has the peer, and BIRD does not run it: the file was changed since BIRD read it. `birdc configure`
	 * has BIRD read it.
	 */
	"peer-not-running": {
		gravity: "red",
		concerns: "peer",
	},
	/**
	 * BIRD runs peers that bird.conf does not have: they go with BIRD's next start. Add them to the file, or drop
	 * them now with `birdc configure`.
	 */
	"peer-not-in-file": {
		gravity: "yellow",
		concerns: "router",
	},
	/** /etc/config/bgpwarden and BIRD disagree about a peer. Make them agree. */
	"peer-differs": {
		gravity: "yellow",
		concerns: "peer",
	},
	/**
	 * `graceful restart` is on and `passive` is not: after a reboot both ends connect. Set `passive on` and `graceful
	 * restart aware` in the protocol.
	 */
	"restart-without-passive": {
		gravity: "yellow",
		concerns: "peer",
	},
	/**
	 * `graceful restart on` keeps FRR from dialing a router that was away, for up to 120 s. Set `graceful restart aware`,
	 * BIRD's default.
	 */
	"graceful-restart-holds-dial": {
		gravity: "yellow",
		concerns: "peer",
	},
	/**
	 * Graceful restart of the speaker is set on one end only: its routes go while it restarts. Set it on both ends, with
	 * `bfd graceful` in BIRD.
	 */
	"graceful-restart-one-sided": {
		gravity: "yellow",
		concerns: "peer",
	},
	/**
	 * A `neighbor range` with single-hop BFD: FRR 10.2 and 10.3 dial once BFD is up, BIRD starts BFD once they have dialed.
	 * Use multihop, or no BFD.
	 */
	"range-waits-for-bfd": {
		gravity: "yellow",
		concerns: "peer",
	},
	/** Several nodes can announce a service, and the kernel gets one next hop. Set `merge paths on` in protocol kernel. */
	"merge-paths-off": {
		gravity: "yellow",
		concerns: "router",
	},
	/** bird.conf has no protocol device: BIRD knows no interfaces. Add `protocol device { }`. */
	"device-missing": {
		gravity: "red",
		concerns: "router",
	},
	/**
	 * No protocol kernel exports routes: learned routes do not reach the kernel. Add `protocol kernel { ipv4 {
	 * export all; }; }`.
	 */
	"kernel-missing": {
		gravity: "yellow",
		concerns: "router",
	},
	/**
	 * A session's next hops are looked up among BIRD's routes, and there is no protocol direct. Add protocol direct
	 * with the interface towards the peer. Yellow where something else may resolve them.
	 */
	"direct-missing": {
		gravity: "red",
		concerns: "router",
	},
	/**
	 * The peer announces nothing. Give a service an address, and advertise it to this router.
	 */
	"nothing-announced": {
		gravity: "yellow",
		concerns: "other end",
	},
	/** BIRD's import filter leaves out all that the peer announces. Change `import`, or set `import none`. */
	"all-filtered": {
		gravity: "yellow",
		concerns: "peer",
	},
	/** BIRD rejects all that the peer announces. BIRD's log says why. */
	"all-rejected": {
		gravity: "yellow",
		concerns: "other end",
	},
	/**
	 * One of a session's address families is not up. Add it on the other side, or leave its channel out of the
	 * protocol.
	 */
	"family-down": {
		gravity: "yellow",
		concerns: "other end",
	},
	/** BIRD cannot reach the next hops of imported routes. Add protocol direct, or a route to them. */
	"next-hops-unreachable": {
		gravity: "yellow",
		concerns: "router",
		dependsOn: ["direct-missing"],
	},
	/**
	 * Two speakers on one node dial this router, and BIRD takes one session with an address. Let one of them announce
	 * the services.
	 */
	"second-speaker": {
		gravity: "yellow",
		concerns: "other end",
	},
	/**
	 * A host of the peers' network dials BGP, and BIRD has no peer for it. Add the node to bird.conf, or use
	 * `neighbor range`.
	 */
	"unknown-node": {
		gravity: "yellow",
		concerns: "router",
		dependsOn: ["unknown-address"],
	},
	/** BFD is configured for the peer and off in BIRD. Set `bfd on` in the protocol. */
	"bfd-off": {
		gravity: "yellow",
		concerns: "peer",
	},
	/** `bfd` is on, and bird.conf has no protocol bfd. Add `protocol bfd { }`. */
	"bfd-missing": {
		gravity: "red",
		concerns: "peer",
	},
	/** `accept` in protocol bfd leaves the peer's sessions out. Widen `accept`. */
	"bfd-not-accepted": {
		gravity: "red",
		concerns: "peer",
	},
	...SERVICE_CATALOG,
} as const satisfies Readonly<Record<string, CatalogEntry>>;
