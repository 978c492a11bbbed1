import { expect, test } from "vitest";
import { COMMON } from "../diagnosis/causes.ts";
import { playWith } from "../diagnosis/run.ts";
import { newestBird } from "../world.ts";
import { kinds, type SpeakerKind } from "./kinds.ts";

/** What the users of a speaker do not run, by what the daemon takes it for. */
const foreign: Readonly<Record<string, RegExp>> = {
	gobgp: /MetalLB|FRR|Calico/i,
	bird: /MetalLB|FRR|Cilium/i,
	"metallb-native": /FRR|Cilium|Calico/i,
};

/** Those that are played: with QUICK=1 each cause with one speaker, by turns. */
const turns: readonly SpeakerKind[] = [kinds.gobgpRetry, kinds.calico, kinds.native];
const quick = process.env.QUICK === "1";

/**
 * Causes of a dead session with a speaker other than FRR, without BFD: each is named right, as the first and only one, in
 * words for that speaker, and the session comes up after its end.
 */
export function causesOf(kind: SpeakerKind): void {
	const causes = COMMON.filter(
		(cause, index) =>
			!(cause.needs === "shutdown" && kind.name === kinds.native.name) &&
			(!quick || turns[index % turns.length] === kind),
	);
	const timeout = (2 * kind.patience + 120) * 1000;
	test.concurrent.each(causes)("$name", { timeout }, async (cause) => {
		const outcome = await playWith(kind, cause, { version: newestBird });
		expect(outcome, outcome.said).toMatchObject({
			first: cause.id,
			others: [],
			healedAfter: expect.any(Number),
		});
		expect(outcome.said).not.toMatch(foreign[kind.found] ?? /(?!)/);
	});
}
