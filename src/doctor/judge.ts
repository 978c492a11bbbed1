import type { Level } from "../model/catalog.ts";
import { reviewBird } from "./bird-findings.ts";
import type { Facts } from "./facts.ts";
import type { Finding } from "./finding.ts";
import { collectPeers } from "./known-peers.ts";
import { reviewNodes } from "./node-findings.ts";
import { reviewPackets } from "./packet-findings.ts";
import { rootCauses, withoutConsequences } from "./root-causes.ts";
import { reviewRouter } from "./router-findings.ts";
import { reviewUse } from "./use-findings.ts";

/** What `doctor --json` prints. Keys are only ever added. */
export interface Report {
	/** The gravest of all findings. */
	readonly level: Level;
	/** ISO 8601, UTC, by the router's clock. */
	readonly at: string;
	/** What is wrong now, one root cause a peer, the gravest first. */
	readonly causes: readonly Finding[];
	/** What was reviewed: problems first, then what is fine. */
	readonly review: readonly Finding[];
}

const ORDER: readonly Level[] = ["red", "yellow", "green"];

/** Judges what was found out. Pure. */
export function judge(facts: Facts): Report {
	const peers = collectPeers(facts);
	const all = [
		...reviewRouter(facts),
		...reviewPackets(facts, peers),
		...reviewBird(facts, peers),
		...reviewUse(facts, peers),
		...reviewNodes(facts, peers),
	];
	const names = new Set(peers.map(({ name }) => name));
	const known = withoutConsequences(rootCauses(facts, peers), all, names);
	const [causes, reviewed] = [sort(known.causes), sort(known.review)];
	const level =
		ORDER.find((each) => [...causes, ...reviewed].some((finding) => finding.level === each)) ?? "green";
	return { level, at: new Date(facts.now).toISOString(), causes, review: reviewed };
}

/** Array.sort is stable: within a level the order of the review stays. */
function sort(findings: readonly Finding[]): Finding[] {
	return [...findings].sort((a, b) => ORDER.indexOf(a.level) - ORDER.indexOf(b.level));
}
