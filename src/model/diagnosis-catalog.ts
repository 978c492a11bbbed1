import type { CatalogEntry } from "./catalog-entry.ts";

/** Diagnoses of a peer by the daemon, the gravest first: the router's own line shows the first that any peer has. */
export const DIAGNOSIS_CATALOG = {
	/** BIRD does not answer. Start BIRD; its log says why it ended, and `bird -p` checks its configuration. */
	"bird-down": {
		gravity: "red",
		concerns: "router",
		dependsOn: ["bird-client-missing"],
	},
	/**
	 * The router reaches the peer through a VPN, or through another device than before. Keep the peer's
	 * network out of that device.
	 */
	"route-kind": {
		gravity: "yellow",
		concerns: "router",
	},
	/**
	 * There is no route to the peer, or its host does not answer ARP or NDP. Check the node, its cable and its
	 * address.
	 */
	"peer-unreachable": {
		gravity: "red",
		concerns: "other end",
	},
	/**
	 * The peer announces a route to its own address: each session breaks itself. Filter that route: `import
	 * where …` in BIRD, or what the speaker announces.
	 */
	"own-route": {
		gravity: "red",
		concerns: "other end",
		beyondRestart: true,
	},
	/**
	 * A rule redirects, queues or drops BGP on this router. Add a bypass for the peer and TCP port 179 to the
	 * program that made the rule.
	 */
	hijacked: {
		gravity: "red",
		concerns: "router",
		curable: true,
	},
	/**
	 * The firewall (fw4) rejects or drops BGP. Set `option zone` to the peer's zone, or allow TCP port 179 in
	 * /etc/config/firewall.
	 */
	blocked: {
		gravity: "red",
		concerns: "router",
	},
	/** A rule drops the router's own SYN-ACK. Exclude TCP source port 179 from that rule. */
	"reply-dropped": {
		gravity: "red",
		concerns: "router",
	},
	/** conntrack still tracks the session. `bgpwarden status` shows why the table cannot be installed. */
	tracked: {
		gravity: "red",
		concerns: "router",
		curable: true,
	},
	/**
	 * BIRD does not listen on the peer's address and port: another program has them, or the address is
	 * missing. Free the port or add the address; bgpwarden then enables the peer. Check `local`, `port` and
	 * `strict bind`.
	 */
	"not-listening": {
		gravity: "red",
		concerns: "peer",
		beyondRestart: true,
	},
	/**
	 * BIRD's `local` address is on no interface of this router. Add the address to the interface, or correct
	 * `local` in bird.conf.
	 */
	"local-address-missing": {
		gravity: "red",
		concerns: "peer",
		beyondRestart: true,
	},
	/**
	 * A host of the peer's network dials from an address that BIRD has no peer for. Set `neighbor` in
	 * bird.conf to the address that dials, or the node's address to BIRD's.
	 */
	"unknown-address": {
		gravity: "red",
		concerns: "peer",
	},
	/**
	 * The peer's SYN reaches BIRD's port, and nothing answers. Use the same TCP MD5 password (or TCP-AO key)
	 * on both sides.
	 */
	"no-answer": {
		gravity: "red",
		concerns: "peer",
		curable: true,
	},
	/**
	 * The router answers the peer's SYN, and the answer does not arrive. Allow the router's TCP answers on the
	 * node and on the way to it.
	 */
	"answer-lost": {
		gravity: "red",
		concerns: "other end",
		curable: true,
	},
	/** One side refuses the other's OPEN. Make AS numbers, router ids and hold times agree. */
	rejected: {
		gravity: "red",
		concerns: "peer",
		beyondRestart: true,
	},
	/** The other side has shut the session down. Enable the session on the other side. */
	"peer-shutdown": {
		gravity: "red",
		concerns: "other end",
		beyondRestart: true,
	},
	/** One side announces more routes than the other takes. Announce fewer routes, or raise the limit. */
	"route-limit": {
		gravity: "red",
		concerns: "peer",
		beyondRestart: true,
	},
	/**
	 * BIRD has disabled the peer after an error, and does not try again. Remove the cause of the error, then
	 * `birdc enable PEER`.
	 */
	"disabled-by-bird": {
		gravity: "red",
		concerns: "peer",
		beyondRestart: true,
	},
	/**
	 * TCP is connected, and BGP's handshake does not get any further. Check what lets the handshake's first
	 * packets pass and not the next ones: a firewall, the MTU, TTL security.
	 */
	"handshake-stuck": {
		gravity: "red",
		concerns: "other end",
		curable: true,
	},
	/**
	 * BIRD has a BFD session with the peer and sends no packets. `birdc restart PEER` has BIRD open its BFD
	 * socket again.
	 */
	"bfd-not-sending": {
		gravity: "red",
		concerns: "peer",
		curable: true,
	},
	/** The peer's host is alive, and its BGP does not connect. Set `ebgpMultiHop: true` in MetalLB's BGPPeer. */
	"peer-silent": {
		gravity: "red",
		concerns: "other end",
		curable: true,
	},
	/**
	 * No node of a `neighbor range` is connected, and none has dialed. Check that the speakers run and dial
	 * this router.
	 */
	"range-waiting": {
		gravity: "red",
		concerns: "other end",
		dependsOn: ["bgp-caught", "bgp-blocked", "answer-dropped"],
		beyondRestart: true,
	},
	/**
	 * Nothing on this router is in the way; the peer has yet to dial. Wait for the peer's next dial, or
	 * shorten its connect timer.
	 */
	waiting: {
		gravity: "red",
		concerns: "other end",
		dependsOn: ["bgp-caught", "bgp-blocked", "answer-dropped"],
		curable: true,
	},
	/** The session was lost three times or more within ten minutes. See what precedes each loss. */
	flapping: {
		gravity: "yellow",
		concerns: "other end",
	},
	/**
	 * One side runs single-hop BFD (UDP 3784), the other multihop BFD (UDP 4784). Use multihop on both sides
	 * or on neither; `bgpwarden render` prints a matching pair.
	 */
	"bfd-mode-mismatch": {
		gravity: "red",
		concerns: "peer",
		dependsOn: ["bfd-down-session-up"],
	},
	/**
	 * The router hears the peer's BFD, and the peer does not hear the router's. Allow BFD from the router on
	 * the node and on the way to it.
	 */
	"bfd-one-way": {
		gravity: "yellow",
		concerns: "other end",
	},
	/**
	 * The session is up without BFD. Set `bfdProfile` in MetalLB's BGPPeer, or `bfd off` in BIRD; where BIRD has no
	 * BFD session, `protocol bfd` is missing or leaves it out.
	 */
	"bfd-down-session-up": {
		gravity: "yellow",
		concerns: "peer",
		dependsOn: ["bfd-missing", "bfd-not-accepted"],
	},
	/**
	 * A node of a `neighbor range` has gone; BIRD still has its peer. Nothing to do: BIRD forgets it when it
	 * is reconfigured or restarted.
	 */
	"node-gone": {
		gravity: "yellow",
		concerns: "other end",
		beyondRestart: true,
	},
	/** The peer is disabled in BIRD, by hand or in bird.conf. `birdc enable PEER`, when it is to be up again. */
	disabled: {
		gravity: "yellow",
		concerns: "peer",
		beyondRestart: true,
	},
	/** The session is Established, with BFD where BIRD has it configured. Nothing to do. */
	healthy: {
		gravity: "yellow",
		concerns: "peer",
	},
} as const satisfies Readonly<Record<string, CatalogEntry>>;
