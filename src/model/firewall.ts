/** fw4's own table, as nft names it. */
export const FW4_TABLE = "inet fw4";

/** A file that becomes a part of fw4's own transaction, and that names the daemon's table. */
export interface NftInclude {
	readonly path: string;
	/** The line that names the table. */
	readonly line: string;
}

/**
 * Whether fw4's table is meant to be there: fw4 was `started` and not stopped since, or it is not and the service is `enabled`.
 * Absent: neither, or there is no fw4.
 */
export type FirewallMeant = "started" | "enabled";

/** What the router's files say about fw4. */
export interface FirewallFacts {
	readonly includes: readonly NftInclude[];
	readonly meant?: FirewallMeant;
}

/** @param table the daemon's, its name */
export function describeInclude(table: string, { path, line }: NftInclude): string {
	return (
		`${path} names table inet ${table} ("${line}") and becomes a part of fw4's own transaction, which fails as a whole where ` +
		"the table has an owner: the table has none while the file is there; remove the file, then: service firewall restart"
	);
}

/** That fw4's table is missing. @param table the daemon's, its name */
export function describeMissing(table: string, meant: FirewallMeant | undefined): string {
	const why =
		meant === "started"
			? "though fw4 was started: the router has no firewall (service firewall restart)"
			: "and the firewall is stopped (service firewall start)";
	return `table ${FW4_TABLE} is missing ${why}; table inet ${table} has no owner until it is back`;
}
