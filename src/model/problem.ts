/** What keeps bgpwarden from doing its work, the gravest first; at most one sentence of each kind is known at a time. */
export const PROBLEMS = [
	/** The table cannot be installed. */
	"install",
	/** Somebody removes or changes the table again and again. */
	"contention",
	/** A fault of bgpwarden's own. */
	"internal",
	/** fw4's table is missing. */
	"firewall",
	/** A file of fw4's names the table, which can have no owner therefore. */
	"firewall_file",
	/** The ruleset cannot be watched. */
	"watch",
	/** Stale conntrack entries cannot be deleted. */
	"conntrack",
	/** BGP uses more ports than the table can have. */
	"ports",
	/** The configuration file has mistakes. */
	"config",
	/** BIRD does not run a peer of the configuration. */
	"peer",
	/** A firewall zone of the configuration does not exist. */
	"zone",
	/** /etc/bgpwarden/table.nft cannot be written. */
	"table_file",
	/** /etc/bgpwarden/last-good cannot be written. */
	"last_good",
	/** The run directory cannot be written. */
	"files",
	/** The control FIFO cannot be made. */
	"control",
	/** Another router reports under this one's id. */
	"router_id",
	/** A person has released the table. The first of those that are no fault: none hides one. */
	"released",
	/** The broker hangs up at a message, which is left out, or drops it. */
	"mqtt_message",
] as const;

export type ProblemKind = (typeof PROBLEMS)[number];

/** `yellow`: bgpwarden does its work, and something is left out of it, or a person wants it so. */
export function problemLevel(kind: ProblemKind | undefined): "red" | "yellow" {
	return kind === "released" || kind === "mqtt_message" ? "yellow" : "red";
}
