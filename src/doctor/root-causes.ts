import { catalogEntry } from "../model/catalog.ts";
import { peerLevel } from "../model/peer-level.ts";
import type { PeerStatus } from "../model/status.ts";
import { type Facts, isFailure } from "./facts.ts";
import { type Finding, red, yellow } from "./finding.ts";
import type { Peer } from "./known-peers.ts";

/** What says that a peer is down and not yet why: what explains it takes its place. */
const OPEN: ReadonlySet<string> = new Set(["peer-down", "waiting", "range-waiting"]);

/** The root cause of each peer that is not well: the daemon's diagnosis, or what BIRD says where there is none. */
export function rootCauses(facts: Facts, peers: readonly Peer[]): Finding[] {
	// BIRD itself was asked just now; the daemon asks it now and then.
	const outdated = ({ name, state }: PeerStatus) =>
		peers.some((peer) => peer.name === name && peer.live && peer.established !== (state === "Established"));
	const status = (facts.status?.peers ?? []).filter((peer) => !outdated(peer));
	const causes = status.flatMap((peer) => diagnosed(peer) ?? []);
	const whole = causes.filter(({ id }) => id === "bird-down");
	// All peers are down because BIRD is: said once.
	if (whole.length > 1 && whole[0]) {
		const rest = causes.filter(({ id }) => id !== "bird-down");
		causes.splice(0, causes.length, { ...whole[0], subject: "BIRD" }, ...rest);
	}
	const withDiagnosis = new Set(status.filter(({ diagnosis }) => diagnosis).map(({ name }) => name));
	const down = isFailure(facts.bird)
		? []
		: peers.filter((peer) => peer.live && !peer.established && !withDiagnosis.has(peer.name));
	return [...causes, ...down.map(undiagnosed)];
}

/**
 * Leaves out what only follows from something else that was found, by the catalog: a root cause and its consequences are one
 * fault. A peer that is down without a diagnosis gets the finding that explains it as its cause.
 * @param peers names of peers: what is found of one says nothing about another
 */
export function withoutConsequences(
	causes: readonly Finding[],
	review: readonly Finding[],
	peers: ReadonlySet<string>,
): { causes: Finding[]; review: Finding[] } {
	const wrong = [...causes, ...review].filter(({ level }) => level !== "green");
	const parentsOf = (child: Finding) =>
		wrong.filter(
			(parent) =>
				parent !== child &&
				(parent.subject === child.subject || !peers.has(parent.subject)) &&
				catalogEntry(child.id)?.dependsOn?.includes(parent.id),
		);
	const promoted = new Set<Finding>();
	const kept = causes.flatMap((cause) => {
		const parents = parentsOf(cause);
		if (!OPEN.has(cause.id)) return parents.length > 0 ? [] : [cause];
		const reason = parents.find(({ level }) => level === "red");
		if (!reason) return [cause];
		promoted.add(reason);
		return [reason];
	});
	const repeats = (finding: Finding) =>
		causes.some(
			({ id, subject }) => id === finding.id && (subject === finding.subject || !peers.has(finding.subject)),
		);
	return {
		causes: kept,
		review: review.filter(
			(finding) => !promoted.has(finding) && !repeats(finding) && parentsOf(finding).length === 0,
		),
	};
}

function diagnosed({
	name,
	state,
	diagnosis,
	explanation,
	evidence = [],
	remedy,
	tried,
}: PeerStatus): Finding | undefined {
	if (diagnosis === undefined || diagnosis === "healthy") return undefined;
	const lines = tried === undefined ? evidence : [...evidence, `bgpwarden tried: ${tried}`];
	return {
		id: diagnosis,
		level: peerLevel({ ...(state === undefined ? {} : { state }), diagnosis }),
		subject: name,
		text: explanation ?? diagnosis,
		...(remedy === undefined ? {} : { advice: remedy }),
		...(lines.length === 0 ? {} : { evidence: lines }),
	};
}

function undiagnosed({ name, live, status }: Peer): Finding {
	// As the daemon would say it: BIRD runs the peer not, and no error has made it so.
	if (live?.protocolState === "down" && live.lastError === undefined)
		return yellow(
			"disabled",
			name,
			"The peer is disabled in BIRD.",
			`birdc enable ${name} when it is to be up again`,
		);
	const error = live?.lastError?.text ?? status?.last_error;
	const state = live?.state ?? live?.protocolState ?? "down";
	return {
		...red("peer-down", name, `The session is ${state}, and the cause is not known yet.`),
		...(error === undefined ? {} : { evidence: [`BIRD's last error: ${error}`] }),
	};
}
