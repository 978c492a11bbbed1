import type { Diagnosis } from "../../model/diagnosis.ts";
import { mayBeFrr, speakerWords } from "../../model/speaker.ts";
import { downSince, speakerOf } from "../state.ts";
import { type Dial, lastDial } from "./evidence.ts";
import { describeBird, describeDuration, describePeer, describeTime } from "./evidence-text.ts";
import type { View } from "./view.ts";
import { hearingSince, SILENCE, WAITING_AFTER, wordsOf } from "./view.ts";

/** States of a neighbor entry that say that the host is there. */
export const ALIVE: ReadonlySet<string> = new Set(["REACHABLE", "DELAY", "PROBE", "PERMANENT", "NOARP"]);
/** Tries that are closer than this many ms are one try and its next address, or a restart, and no timer. */
const LEAST_INTERVAL = 3000;
/** What speakers wait for between two tries, ms: FRR after an outage without BFD 150 s, GoBGP up to 240 s. */
const LONGEST_WAIT = 240_000;
/** Lines about rules that may stop the peer, and about those that nobody looked at. */
const SHOWN = 3;
/** A timer's jitter (RFC 4271, section 10), and a second for the packet. */
const JITTER = 1.25;

/** The peer's host is alive, and its BGP does not connect: `peer-silent`. */
export function diagnoseSilence(view: View): Diagnosis | undefined {
	const { record, evidence, now } = view;
	const { inspection } = evidence;
	const since = silentSince(view);
	if (since === undefined || !inspection) return undefined;
	if (now - since < SILENCE) return undefined;
	const { neighbor } = inspection;
	const reachable = neighbor !== undefined && neighbor !== "none" && ALIVE.has(neighbor.state);
	const bfdUp = record.peer.bfd === "up";
	if (!reachable && !bfdUp) return undefined;
	const sign = bfdUp ? "BFD is up" : "its host answers ARP or NDP";
	return {
		id: "peer-silent",
		explanation: `${describePeer(record)} is alive and has not tried to connect since ${describeTime(view, since)}`,
		evidence: [`no SYN since ${describeTime(view, since)}`, sign, describeBird(record)],
		remedy: adviseSilent(view),
	};
}

function adviseSilent({ state, record }: View): string {
	const speaker = speakerOf(state, record);
	const { multihop, sessions, log } = speakerWords(speaker);
	// FRR alone looks at the kind of its route before it dials.
	return mayBeFrr(speaker)
		? `the speaker does not dial: set ${multihop}, because its route to the router is \`kernel\`, not \`connected\` (\`show bgp neighbors\` there says \`No path to specified Neighbor\`)`
		: `the speaker does not dial: see ${sessions} and ${log}, and what on the node or on the way keeps it from connecting`;
}

/** Since when nothing was heard of the peer, as far as the daemon could hear it. */
export function silentSince({ state, evidence, record }: View): number | undefined {
	const watchSince = hearingSince(state);
	if (watchSince === undefined) return undefined;
	return Math.max(
		watchSince,
		lastDial(evidence)?.syn.at ?? 0,
		record.downSince ?? 0,
		evidence.established ?? 0,
	);
}

/**
 * How long the peer waits between two tries, ms, by those that were seen; undefined: fewer than two were.
 * @param established when the latest session began: it is no wait
 */
export function dialInterval(dials: readonly Dial[], established = 0): number | undefined {
	const gaps = dials
		.slice(1)
		.flatMap(({ since }, index) => {
			const last = dials[index]?.since ?? 0;
			return last < established && established <= since ? [] : since - last;
		})
		.filter((gap) => gap >= LEAST_INTERVAL && gap <= LONGEST_WAIT * JITTER);
	return gaps.length === 0 ? undefined : Math.max(...gaps);
}

/**
 * No cause is known: what was looked at, and what is waited for (`waiting`). Nothing in it changes while nothing happens, for each
 * other text is another message.
 */
export function diagnoseWaiting(view: View): Diagnosis | undefined {
	const { record, now, state, evidence } = view;
	const down = downSince(state, record);
	if (now - down < WAITING_AFTER) return undefined;
	const fine = ruledOut(view);
	const unsure = (evidence.walked?.obstacles ?? []).flatMap((obstacle) =>
		obstacle.evidence.map((rule) => `may be in the way: ${rule.replace(/^perhaps: /, "")}`),
	);
	const left = evidence.walked?.unreviewed.map((each) => `not looked at: ${each}`) ?? [];
	const words = wordsOf(view);
	const base = {
		id: "waiting",
		evidence: [
			...heard(view),
			...(fine === "" ? [] : [fine]),
			...[...unsure, ...left].slice(0, SHOWN),
			describeBird(record),
		],
	} as const;
	const { lastError, state: name } = record.peer;
	if (name === "Idle" && lastError)
		return {
			...base,
			explanation: `BIRD waits after "${lastError.text}" before it takes ${describePeer(record)} again; its wait is a minute at first and grows (error wait time)`,
			remedy: `wait, or \`birdc restart ${record.peer.name}\` once what caused the error is mended`,
		};
	const dials = evidence.dials ?? [];
	const interval = dialInterval(dials, evidence.established);
	const last = dials.at(-1);
	const from = Math.max(last?.since ?? 0, down);
	const due = from + (interval === undefined ? LONGEST_WAIT : interval * JITTER);
	const how = interval === undefined ? words.wait : `it has dialed every ${describeDuration(interval)}`;
	return {
		...base,
		explanation:
			now < due
				? `${describePeer(record)} has not connected; its next dial is expected by ${describeTime(view, due)} (${how})`
				: `${describePeer(record)} has not connected; it should have dialed by ${describeTime(view, due)} (${how})`,
		remedy:
			[
				...(words.connectTime === undefined ? [] : [`shorten ${words.connectTime}`]),
				...(words.bfd !== undefined && mayBeFrr(speakerOf(state, record))
					? ["use BFD, which wakes FRR"]
					: []),
			].join(", or ") || "wait: nothing there can be set to be faster",
	};
}

function heard(view: View): string[] {
	const since = silentSince(view);
	if (since === undefined)
		return ["SYNs are not seen: the table is not in place, or the ruleset cannot be watched"];
	const last = lastDial(view.evidence)?.syn.at;
	return [
		last !== undefined && last >= (view.evidence.established ?? 0)
			? `its last SYN came at ${describeTime(view, last)}`
			: `no SYN since ${describeTime(view, since)}`,
	];
}

/** What was looked at and found to be fine, as one line. */
function ruledOut({ evidence, record }: View): string {
	const { inspection, walked } = evidence;
	const parts = [
		...(inspection?.route ? ["route"] : []),
		...(walked?.obstacles.length === 0 && walked.unreviewed.length === 0 ? ["ruleset"] : []),
		...(inspection?.flows?.length === 0 ? ["conntrack"] : []),
		...(record.peer.bfd === "up" ? ["BFD"] : []),
	];
	if (parts.length === 0) return "";
	return `looked at and fine: ${parts.join(", ")}`;
}
