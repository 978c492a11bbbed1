import type { LastError } from "../../model/bird.ts";
import type { Diagnosis } from "../../model/diagnosis.ts";
import type { SpeakerWords } from "../../model/speaker.ts";
import { ONE_SPEAKER } from "../peers/second-speaker.ts";
import { isEstablished } from "../state.ts";
import {
	describeBird,
	describeDuration,
	describePeer,
	describeServices,
	describeTime,
} from "./evidence-text.ts";
import { type View, wordsOf } from "./view.ts";

/** This many losses of the session within `WINDOW` ms are flapping. */
const LEAST = 3;
const WINDOW = 600_000;
/** Another program has the session than before: so many times, and two of them want it. */
const TAKE_TURNS_AFTER = 2;
/** Flapping is over when a session lasts this many times longer than those before, and at least this many ms. */
const CALM = { times: 2, least: 5000 } as const;

/** When the session has calmed down, monotonic ms; undefined: it does not flap. @param times when it was lost, oldest first */
export function calmAt(times: readonly number[], now: number): number | undefined {
	const recent = times.filter((time) => now - time < WINDOW);
	const [first, last] = [recent[0], recent.at(-1)];
	if (recent.length < LEAST || first === undefined || last === undefined) return undefined;
	const period = (last - first) / (recent.length - 1);
	return last + Math.max(CALM.times * period, CALM.least);
}

/** The session goes up and down: `flapping`. */
export function diagnoseFlapping(view: View): Diagnosis | undefined {
	const { record, now } = view;
	const times = (record.flapTimes ?? []).filter((time) => now - time < WINDOW);
	const calm = calmAt(times, now);
	if (calm === undefined || now >= calm) return undefined;
	const [first = 0, last = 0] = [times[0], times.at(-1)];
	const period = (last - first) / (times.length - 1);
	const error = record.flapError;
	const takeTurns =
		(record.speakerChanges ?? []).filter((time) => now - time < WINDOW).length >= TAKE_TURNS_AFTER;
	const before = error === undefined ? "" : `, each time after "${error.text}"`;
	return {
		id: "flapping",
		explanation: `${describePeer(record)} was lost ${times.length} times, about every ${describeDuration(period)}${takeTurns ? ": two speakers on the node take the session from each other" : before}`,
		evidence: [
			`the last loss was at ${describeTime(view, last)}${isEstablished(record) ? "" : ", and it is down now"}`,
			describeBird(record),
			...describeServices(view),
		],
		remedy: takeTurns ? ONE_SPEAKER : adviseFlaps(error, wordsOf(view)),
	};
}

function adviseFlaps(error: LastError | undefined, words: SpeakerWords): string {
	if (error?.bfdDown)
		return `packets are lost on the way: check the link, or use longer BFD intervals${words.bfdTimes === "" ? "" : ` (${words.bfdTimes})`}`;
	if (error?.notification?.code === 4)
		return `keepalives do not arrive: check the link and its MTU, or raise ${words.holdTime}`;
	return `the speaker's log says why it closes the session: ${words.log}`;
}
