import { remedyForOld } from "../../model/bird.ts";
import type { Diagnosis } from "../../model/diagnosis.ts";
import { isSuspectedHalfOpen } from "../peers/restart.ts";
import type { WardenState } from "../state.ts";
import { isDown, isEstablished } from "../state.ts";
import { diagnoseLocalAddress, diagnoseUnknownAddress } from "./addresses.ts";
import { diagnoseBfdMode, diagnoseNotSending, diagnoseOneWay } from "./bfd-mode.ts";
import { diagnoseEstablished } from "./established.ts";
import { diagnoseFlapping } from "./flapping.ts";
import { diagnoseGivenUp } from "./given-up.ts";
import { diagnoseHandshake, diagnoseLostSession } from "./handshake.ts";
import { diagnoseKernel, diagnoseTracking } from "./kernel-state.ts";
import { diagnoseWalk } from "./listed-ruleset.ts";
import { diagnoseOwnRoute } from "./own-route.ts";
import { diagnoseNode, diagnoseRange } from "./range.ts";
import { diagnoseRefusal } from "./refusal.ts";
import { diagnoseSilence, diagnoseWaiting } from "./silence.ts";
import { diagnoseStuckHandshake } from "./stuck-handshake.ts";
import type { Finder, View } from "./view.ts";

/** The nearest to the root first: what comes later may be a consequence of what comes earlier. */
const DOWN: readonly Finder[] = [
	diagnoseNode,
	diagnoseOwnRoute,
	diagnoseLocalAddress,
	diagnoseKernel,
	diagnoseHandshake,
	diagnoseTracking,
	diagnoseRefusal,
	diagnoseStuckHandshake,
	diagnoseWalk,
	diagnoseBfdMode,
	diagnoseNotSending,
	diagnoseUnknownAddress,
	diagnoseSilence,
	diagnoseFlapping,
	diagnoseOneWay,
	diagnoseWaiting,
];

/**
 * The one root cause. Pure.
 * @returns undefined while there is not enough evidence
 */
export function diagnose(view: View): Diagnosis | undefined {
	const { state, record } = view;
	if (!state.bird.reachable) return diagnoseBird(state);
	if (isDown(record)) return diagnoseGivenUp(view);
	if (record.peer.neighborRange !== undefined) return diagnoseRange(view);
	if (isEstablished(record)) {
		const found = diagnoseLostSession(view) ?? diagnoseOwnRoute(view) ?? diagnoseFlapping(view);
		if (found) return found;
		return isSuspectedHalfOpen(record, view.now) ? undefined : diagnoseEstablished(view);
	}
	// A handshake that is getting somewhere is no fault yet.
	if (record.peer.state === "OpenSent" || record.peer.state === "OpenConfirm")
		return diagnoseStuckHandshake(view);
	for (const find of DOWN) {
		const found = find(view);
		if (found) return found;
	}
	return undefined;
}

/** @returns undefined before BIRD was asked for the first time */
export function diagnoseBird({ bird }: WardenState): Diagnosis | undefined {
	if (bird.reachable || bird.lostReason === undefined) return undefined;
	const newer = remedyForOld(bird.lostReason);
	return {
		id: "bird-down",
		explanation: newer === undefined ? `BIRD does not answer: ${bird.lostReason}` : bird.lostReason,
		evidence: [bird.lostReason],
		remedy:
			newer ??
			"start BIRD (`service bird start`); its log says why it ended, and `bird -p` checks its configuration",
	};
}
