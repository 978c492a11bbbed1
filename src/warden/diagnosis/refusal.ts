import type { ChannelConfiguration } from "../../model/bird-configuration.ts";
import type { Diagnosis } from "../../model/diagnosis.ts";
import { isRouteLimit, isShutdown } from "../peers/curable-error.ts";
import { configurationOf } from "../state.ts";
import { adviseError, describeError, isRefused } from "./bgp-errors.ts";
import { describeBird, describePeer, describeTime } from "./evidence-text.ts";
import { SILENCE, type View, wordsOf } from "./view.ts";

/** What one side says no to, by BIRD's last error: `route-limit`, `peer-shutdown`, `rejected`. */
export function diagnoseRefusal(view: View): Diagnosis | undefined {
	const { record } = view;
	const error = record.peer.lastError;
	if (!error) return undefined;
	if (isRouteLimit(error)) return explainLimit(view);
	if (isShutdown(error))
		return {
			id: "peer-shutdown",
			explanation: `${describePeer(record)} was shut down on the other side`,
			evidence: [describeBird(record)],
			remedy: "enable the session on the other side; it then connects by itself",
		};
	const { notification } = error;
	if (!notification) return diagnoseHangUp(view);
	if (!isRefused(record, view.now)) return undefined;
	const who =
		notification.by === "peer"
			? `${describePeer(record)} refuses this router`
			: `BIRD refuses ${describePeer(record)}`;
	return {
		id: "rejected",
		explanation: `${who}: ${describeError(notification)}`,
		evidence: [describeBird(record), ...describeNumbers(record.peer)],
		remedy: adviseError(notification, wordsOf(view)),
	};
}

/** So many tries in a row that the peer has ended by itself are no accident. */
const HANG_UPS = 2;

/**
 * The peer connects, reads BIRD's OPEN, and hangs up without a NOTIFICATION, as MetalLB's native mode does
 * (internal/bgp/native). BIRD only knows that the connection was closed.
 */
function diagnoseHangUp(view: View): Diagnosis | undefined {
	const { record, evidence, now } = view;
	// A BIRD that waits after an error hangs up itself.
	if (record.peer.state === "Idle") return undefined;
	const tries = (evidence.dials ?? []).filter(({ since }) => since >= (evidence.established ?? 0));
	const last = tries.slice(-HANG_UPS);
	const hungUp = last.flatMap(({ hungUpAt }) => (hungUpAt === undefined ? [] : [hungUpAt]));
	const at = hungUp.at(-1);
	if (hungUp.length < HANG_UPS || at === undefined || now - at >= SILENCE) return undefined;
	return {
		id: "rejected",
		explanation: `${describePeer(record)} connects, and closes the connection without saying why`,
		evidence: [
			`it did so last at ${describeTime(view, at)}`,
			describeBird(record),
			...describeNumbers(record.peer),
		],
		remedy: `read ${wordsOf(view).log}, which says why; compare AS numbers, addresses and address families of both sides`,
	};
}

/** @param then what a person has to do after that */
export function explainLimit({ record, state }: View, then?: string): Diagnosis {
	const error = record.peer.lastError;
	const byPeer = error?.notification?.by === "peer";
	const limits = (configurationOf(state, record)?.channels ?? []).flatMap(describeLimits);
	const waits = then === undefined ? "; BIRD tries again by itself, after a wait that grows" : "";
	const who = describePeer(record);
	// BIRD says the same of each of its limits.
	const what = byPeer
		? `${who} takes fewer routes than this router announces`
		: `the session with ${who} has more routes than bird.conf allows`;
	const where = byPeer ? "on the other side" : "in bird.conf";
	return {
		id: "route-limit",
		explanation: `${what}: "${error?.text}"${waits}`,
		evidence: [...limits, describeBird(record)],
		remedy: `announce fewer routes, or raise the limit ${where}${then === undefined ? "" : `; ${then}`}`,
	};
}

function describeLimits(channel: ChannelConfiguration): string[] {
	const { family, importLimit, receiveLimit, exportLimit } = channel;
	const told = { import: importLimit, receive: receiveLimit, export: exportLimit };
	return Object.entries(told).flatMap(([kind, limit]) =>
		limit?.limit === undefined
			? []
			: [`bird.conf: ${family}: ${kind} limit ${limit.limit} action ${limit.action}`],
	);
}

function describeNumbers({ localAs, neighborAs }: { localAs?: number; neighborAs?: number }): string[] {
	if (localAs === undefined || neighborAs === undefined) return [];
	return [`BIRD is AS ${localAs} and expects AS ${neighborAs}`];
}
