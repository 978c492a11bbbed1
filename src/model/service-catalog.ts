/** What is wrong before BIRD has a route: nothing that is found behind it means anything. */
const NOT_ANNOUNCED = [
	"service-own-address",
	"service-no-session",
	"service-unannounced",
	"service-filtered",
];
const NOT_CHOSEN = [...NOT_ANNOUNCED, "service-next-hop-unresolved", "service-not-best"];
const NOT_ROUTED = [
	...[...NOT_CHOSEN, "service-not-exported", "service-no-route", "service-other-route"],
	...["service-blackhole", "service-rule"],
];
const NOT_SENT = [...NOT_ROUTED, "service-next-hop-dead", "service-forwarding-off"];

const red = { gravity: "red", concerns: "router" } as const;
const cluster = { gravity: "red", concerns: "other end" } as const;

/** Findings of `doctor --service`, in the order of a packet's way. */
export const SERVICE_CATALOG = {
	/** The address is the router's own. Ask about the service's external address. */
	"service-own-address": red,
	/** The address is in one of the router's networks: hosts there look for it on their link. Take another range for the pool. */
	"service-in-subnet": { ...cluster, gravity: "yellow", dependsOn: ["service-own-address"] },
	/** No session is up. `bgpwarden doctor` says why. */
	"service-no-session": { ...red, dependsOn: ["service-own-address"] },
	/** No peer announces the address. Look at the service's endpoints and at the advertisement of its pool. */
	"service-unannounced": { ...cluster, dependsOn: ["service-own-address"] },
	/** An import filter leaves the address out. Widen it. */
	"service-filtered": { ...red, dependsOn: ["service-own-address"] },
	/** BIRD does not know the way to the next hop. Add protocol direct. */
	"service-next-hop-unresolved": { ...red, dependsOn: NOT_ANNOUNCED },
	/** BIRD prefers another protocol's route. Remove it, or lower its preference. */
	"service-not-best": { ...red, dependsOn: [...NOT_ANNOUNCED, "service-next-hop-unresolved"] },
	/** BIRD's protocol kernel does not take the route. Export it. */
	"service-not-exported": { ...red, dependsOn: NOT_CHOSEN },
	/** The route is not in the kernel's main table. */
	"service-no-route": { ...red, dependsOn: [...NOT_CHOSEN, "service-not-exported"] },
	/** Another program's route wins in the kernel. Remove it. */
	"service-other-route": { ...red, dependsOn: [...NOT_CHOSEN, "service-not-exported"] },
	/** The kernel discards the packets by a route of type blackhole, unreachable or prohibit. Remove it. */
	"service-blackhole": { ...red, dependsOn: [...NOT_CHOSEN, "service-not-exported"] },
	/** A rule of policy routing sends the packets to another table. Exempt the address. */
	"service-rule": { ...red, dependsOn: [...NOT_CHOSEN, "service-not-exported"] },
	/** A next hop does not answer ARP or NDP. Look at the node; BFD finds it sooner. */
	"service-next-hop-dead": { ...cluster, dependsOn: NOT_ROUTED },
	/** The router forwards no packets of this family. Switch it on. */
	"service-forwarding-off": { ...red, dependsOn: NOT_ANNOUNCED },
	/** rp_filter drops packets by their source. Loosen it, or correct the route to the source. */
	"service-reverse-path": { ...red, dependsOn: NOT_SENT },
	/** A rule drops or rejects the client's packets. Allow the forwarding. */
	"service-blocked": { ...red, dependsOn: NOT_ROUTED },
	/** A rule redirects the client's packets, or hands them to a program. Exempt the address there. */
	"service-caught": { ...red, dependsOn: NOT_ROUTED },
	/** A rule drops the node's answers. Accept them before it. */
	"service-answer-blocked": { ...red, dependsOn: NOT_ROUTED },
	/**
	 * Client and node are in one network: the answers bypass the router, and a rule drops what follows as invalid. Give the
	 * nodes a network of their own.
	 */
	"service-one-sided": { ...red, dependsOn: NOT_ROUTED },
	/** The link to the node has the smaller MTU, and no rule clamps TCP's segments. Set `mtu_fix`. */
	"service-mtu": { ...red, gravity: "yellow", dependsOn: NOT_SENT },
	/** The node refuses the connection: nothing serves the port there. Look at endpoints and kube-proxy. */
	"service-refused": { ...cluster, dependsOn: NOT_SENT },
	/** The node does not answer the router. Look at endpoints, policies and the node's way back. */
	"service-silent": { ...cluster, dependsOn: NOT_SENT },
} as const;
