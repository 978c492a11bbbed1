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
}
