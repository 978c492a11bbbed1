import type { Diagnosis } from "../../model/diagnosis.ts";
import type { Inspection } from "../../model/inspection.ts";
import { isRouteLimit } from "../peers/curable-error.ts";
import { gaveUp, gaveUpListening } from "../peers/given-up.ts";
import { configurationOf, isDown } from "../state.ts";
import { describeBird, describePeer } from "./evidence-text.ts";
import { explainLimit } from "./refusal.ts";
import { routersPort, type View } from "./view.ts";

/** Milliseconds that a protocol may be down because it is being restarted. */
const RESTARTING = 3000;

/** A protocol that BIRD does not run: because of an error, or because a person wants it so. */
export function diagnoseGivenUp(view: View): Diagnosis | undefined {
	const { record, now, state } = view;
	const { name } = record.peer;
	if (!isDown(record)) return undefined;
	if (now - Math.max(record.stateSince ?? 0, state.startedAt) < RESTARTING && record.stateSince !== undefined)
		return undefined;
	if (gaveUpListening(record)) return diagnoseNotListening(view);
	if (!gaveUp(record))
		return {
			id: "disabled",
			explanation: `${describePeer(record)} is disabled in BIRD${configurationOf(state, record)?.disabled ? " (bird.conf)" : ""}`,
			evidence: [describeBird(record)],
			remedy: `\`birdc enable ${name}\` when it is to be up again`,
		};
	const error = record.peer.lastError;
	if (error && isRouteLimit(error)) return explainLimit(view, `\`birdc enable ${name}\` after that`);
	return {
		id: "disabled-by-bird",
		explanation: `BIRD has disabled ${describePeer(record)} after "${error?.text}", and does not try again`,
		evidence: [describeBird(record)],
		remedy: `remove the cause, then \`birdc enable ${name}\`; \`disable after error\` in bird.conf makes BIRD do this`,
	};
}

function diagnoseNotListening(view: View): Diagnosis {
	const { record, evidence, state } = view;
	const { name } = record.peer;
	const file = configurationOf(state, record);
	const { inspection } = evidence;
	const seen: Inspection = inspection && inspection.at >= (record.stateSince ?? 0) ? inspection : {};
	const where = `${file?.localAddress ?? "its address"}, port ${routersPort(view)}`;
	const base = { id: "not-listening", evidence: [describeBird(record)] } as const;
	if (seen.hasLocalAddress === false && file?.strictBind && file.localAddress !== undefined)
		return {
			...base,
			explanation: `BIRD could not listen for ${describePeer(record)}: no interface of this router has the address ${file.localAddress}`,
			remedy: `add ${file.localAddress} to its interface, or correct \`local\` in protocol ${name}; bgpwarden enables the peer once the address is there`,
		};
	const { listener } = seen;
	if (listener !== undefined && listener !== "none" && listener.program !== "bird") {
		const { program, pid } = listener;
		const who =
			program === undefined ? "another program" : `${program}${pid === undefined ? "" : ` (pid ${pid})`}`;
		return {
			...base,
			explanation: `BIRD could not listen for ${describePeer(record)}: ${who} has port ${routersPort(view)}`,
			remedy: `stop ${program ?? "that program"} or give one of them another port; bgpwarden enables the peer once the port is free`,
		};
	}
	return {
		...base,
		explanation: `BIRD could not listen for ${describePeer(record)} on ${where}, and does not try again`,
		remedy: `check \`local\`, \`port\` and \`strict bind\` in protocol ${name}, then \`birdc enable ${name}\``,
	};
}
