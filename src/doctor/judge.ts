import type { Level } from "../model/catalog.ts";
import { reviewBird } from "./bird-findings.ts";
import type { Facts } from "./facts.ts";
import type { Finding } from "./finding.ts";
import { collectPeers } from "./known-peers.ts";
import { reviewNodes } from "./node-findings.ts";
import { reviewPackets } from "./packet-findings.ts";
import { rootCauses, withoutConsequences } from "./root-causes.ts";
import { reviewRouter } from "./router-findings.ts";
import type { Step } from "./service/step.ts";
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
	/** Of `doctor --service` alone. */
	readonly service?: ServicePath;
}

/** The way of a client's packets to a service and back, in their order. */
export interface ServicePath {
	readonly address: string;
	/** TCP port. */
	readonly port: number;
	/** Nobody has said which port it is. */
	readonly portAssumed: boolean;
	/** The client that was asked about; absent: one in each of the router's networks. */
	readonly from?: string;
	readonly path: readonly Step[];
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
	return reportOf(facts, known.causes, known.review);
}

/** Within a level the order of the findings stays. */
export function reportOf(
	{ now }: Pick<Facts, "now">,
	found: readonly Finding[],
	reviewed: readonly Finding[],
): Report {
	const [causes, review] = [sort(found), sort(reviewed)];
	const level = ORDER.find((each) => [...causes, ...review].some((finding) => finding.level === each));
	return { level: level ?? "green", at: new Date(now).toISOString(), causes, review };
}

/** Array.sort is stable. */
function sort(findings: readonly Finding[]): Finding[] {
	return [...findings].sort((a, b) => ORDER.indexOf(a.level) - ORDER.indexOf(b.level));
}
