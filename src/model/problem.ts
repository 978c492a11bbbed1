/** What keeps bgpwarden from doing its work; at most one sentence of each kind is known at a time. */
export type ProblemKind =
	| "fight"
	/** A person has the table left alone. */
	| "released"
	| "install"
	| "watch"
	| "conntrack"
	| "config"
	/** The run directory cannot be written. */
	| "files"
	/** The control FIFO cannot be made. */
	| "control"
	/** /etc/bgpwarden/table.nft cannot be written. */
	| "table_file"
	/** Another router reports under this one's id. */
	| "router_id";
