import { Ledger } from "./ledger.ts";
import type { Play } from "./play.ts";
import { PEERS } from "./plays/bgp.ts";
import { BROKERS } from "./plays/broker.ts";
import { CLIENTS } from "./plays/client.ts";
import { PEER_NAMES } from "./plays/names.ts";
import { SYN_FLOODS } from "./plays/syn-flood.ts";
import { TEXTS } from "./plays/texts.ts";
import { TRACING } from "./plays/tracing.ts";

/**
 * Hostile neighbors, each in a world of its own: a line for each, a table at the end, `N passed, N failed`.
 *
 * ONLY (a part of `GROUP: NAME`), JOBS (worlds at a time, default 3). QUICK=1 leaves out those whose harm another one shows as well.
 */
const jobs = Number(process.env.JOBS ?? 3);
const only = process.env.ONLY ?? "";
const quick = process.env.QUICK === "1";

// The longest first.
const plays: readonly Play[] = [
	...[...PEERS, ...PEER_NAMES, ...TEXTS, ...TRACING],
	...[...SYN_FLOODS, ...CLIENTS, ...BROKERS],
];
const chosen = plays.filter(
	({ group, name, ...play }) => `${group}: ${name}`.includes(only) && (!quick || play.quick),
);
const say = (text: string) => process.stdout.write(`${text}\n`);
const ended: { readonly play: Play; readonly ledger: Ledger }[] = [];

async function perform(play: Play): Promise<void> {
	const ledger = new Ledger();
	const began = performance.now();
	try {
		await play.run(ledger);
	} catch (error) {
		ledger.broken.push(error instanceof Error ? error.message : String(error));
	}
	ended.push({ play, ledger });
	const verdict = ledger.broken.length === 0 ? "ok " : "BAD";
	const seconds = ((performance.now() - began) / 1000).toFixed(0);
	say(`${verdict} ${play.group}: ${play.name}: ${[...ledger.seen, `${seconds} s`].join("; ")}`);
	for (const each of ledger.broken) say(`      ${each.replaceAll("\n", "\n        ")}`);
	if (ledger.broken.length > 0 && ledger.log)
		// Whatever it holds, it is not to reach a terminal.
		say(
			ledger.log
				.tail(8)
				.replace(/^/gm, "      | ")
				.replace(/[^\n\x20-\x7e]/g, "?"),
		);
}

const waiting = [...chosen];
async function work(): Promise<void> {
	for (let next = waiting.shift(); next; next = waiting.shift()) await perform(next);
}
const began = performance.now();
await Promise.all(Array.from({ length: jobs }, work));

const figure = (values: readonly (number | undefined)[], digits: number) => {
	const known = values.filter((value) => value !== undefined);
	return (known.length > 0 ? Math.max(...known).toFixed(digits) : "-").padStart(8);
};
say(`\n${"the worst of".padEnd(24)}  memory MB   own %  children %  repair ms  lines  passed`);
for (const group of new Set(chosen.map((play) => play.group))) {
	const of = ended.filter(({ play }) => play.group === group);
	const figures = of.map(({ ledger }) => ledger.figures);
	const passed = of.filter(({ ledger }) => ledger.broken.length === 0).length;
	say(
		[
			group.padEnd(24),
			figure(
				figures.map(({ memory }) => memory),
				1,
			).padStart(10),
			figure(
				figures.map(({ own }) => own && own * 100),
				0,
			),
			figure(
				figures.map(({ children }) => children && children * 100),
				0,
			).padStart(10),
			figure(
				figures.map(({ repair }) => repair),
				0,
			).padStart(10),
			figure(
				figures.map(({ lines }) => lines),
				0,
			).padStart(6),
			`  ${passed} of ${of.length}`,
		].join(" "),
	);
}
const failed = ended.filter(({ ledger }) => ledger.broken.length > 0).length + (chosen.length === 0 ? 1 : 0);
say(`\nin ${((performance.now() - began) / 1000).toFixed(0)} s`);
say(`${ended.length - Math.min(failed, ended.length)} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
