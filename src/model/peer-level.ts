import { catalogEntry, type Level } from "./catalog.ts";
import { problemLevel } from "./problem.ts";
import type { PeerStatus, RouterStatus } from "./status.ts";

/** Diagnoses of peers that are down and that nobody misses: told, and no fault. */
const NOTES: ReadonlySet<string> = new Set(["disabled", "node-gone"]);

/** Whether a diagnosis is only a note: the peer is meant to be down. */
export function isNote(diagnosis: string | undefined): boolean {
	return diagnosis !== undefined && NOTES.has(diagnosis);
}

/**
 * How a peer is, for everybody who says so: a peer that is down and not meant to be is red, whatever the cause; one that is up
 * has its diagnosis's gravity.
 */
export function peerLevel({ state, diagnosis }: Pick<PeerStatus, "state" | "diagnosis">): Level {
	if (isNote(diagnosis)) return "yellow";
	if (state !== "Established") return "red";
	if (diagnosis === undefined || diagnosis === "healthy") return "green";
	// A diagnosis of another version is taken seriously.
	return catalogEntry(diagnosis)?.gravity ?? "red";
}

/** How a router is: its table, BIRD, its own work, and the worst of its peers. Notes leave it green. */
export function routerLevel(
	router: Pick<RouterStatus, "protection" | "bird" | "problem" | "problem_kind">,
	peers: readonly Pick<PeerStatus, "state" | "diagnosis">[],
): Level {
	const { protection, bird, problem, problem_kind } = router;
	if (protection === "missing" || !bird.reachable) return "red";
	const own = problem === undefined ? "green" : problemLevel(problem_kind);
	if (own === "red") return "red";
	const levels = peers.filter(({ diagnosis }) => !isNote(diagnosis)).map(peerLevel);
	if (levels.includes("red") || peers.length === 0) return "red";
	return own === "yellow" || levels.includes("yellow") ? "yellow" : "green";
}
