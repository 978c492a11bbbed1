import { birdVersions } from "../world.ts";
import { CAUSES } from "./causes.ts";
import { isHealed, isRight, type Outcome, play } from "./run.ts";

/**
 * The confusion table: every cause, on each BIRD of this world, over IPv4 and IPv6, some rounds of each.
 *
 * ROUNDS (default 3), ONLY (a part of a cause's name or id), JOBS (worlds at a time, default 3, or 5 with QUICK). QUICK=1 plays
 * each cause once, on the BIRDs and families by turns, looks at what was said and not at how soon, and lets one go wrong, as
 * 98 % of the whole do: a busy machine must not decide whether a change is good.
 */
const rounds = Number(process.env.ROUNDS ?? 3);
const only = process.env.ONLY ?? "";
const quick = process.env.QUICK === "1";
const jobs = Number(process.env.JOBS ?? (quick ? 5 : 3));
const [families, versions] = [
	(process.env.FAMILIES ?? "4,6").split(","),
	process.env.BIRDS?.split(",") ?? birdVersions.map(String),
];

interface Case {
	readonly label: string;
	readonly run: () => Promise<Outcome>;
	readonly within?: number | undefined;
	readonly healedWithin?: number | undefined;
}

const combinations = families.flatMap((family) => versions.map((version) => ({ family, version })));
const cases: Case[] = [];
for (let round = 1; round <= (quick ? 1 : rounds); round++) {
	for (const [index, cause] of CAUSES.entries()) {
		if (!`${cause.name} ${cause.id}`.includes(only)) continue;
		const chosen = quick ? combinations.slice(index % combinations.length).slice(0, 1) : combinations;
		for (const { family, version } of chosen)
			cases.push({
				label: `${cause.id.padEnd(19)} BIRD ${version} IPv${family}  ${cause.name}`,
				run: () => play(cause, { family: family === "6" ? 6 : 4, version: version === "2" ? 2 : 3 }),
				within: cause.within,
				healedWithin: cause.healedWithin,
			});
	}
}

const say = (text: string) => process.stdout.write(`${text}\n`);
const seen = new Map<string, Map<string, number>>();
let [right, healed, failed] = [0, 0, 0];
const seconds = (milliseconds: number | undefined) =>
	milliseconds === undefined ? "never" : `${(milliseconds / 1000).toFixed(1)} s`;

async function work(): Promise<void> {
	for (let next = cases.shift(); next; next = cases.shift()) {
		const { label, run, within, healedWithin } = next;
		try {
			const outcome = await run();
			const isNamed = isRight(outcome, quick ? Number.POSITIVE_INFINITY : within);
			const isOver = quick ? outcome.healedAfter !== undefined : isHealed(outcome, healedWithin);
			if (isNamed) right++;
			if (isOver) healed++;
			const row = seen.get(outcome.expected) ?? new Map<string, number>();
			const column = isNamed ? outcome.expected : [outcome.first ?? "nothing", ...outcome.others].join("+");
			row.set(column, (row.get(column) ?? 0) + 1);
			seen.set(outcome.expected, row);
			say(
				`${isNamed && isOver ? "ok " : "BAD"} ${label}: ${outcome.first ?? "nothing"} after ${seconds(outcome.namedAfter)}, healthy after ${seconds(outcome.healedAfter)}${outcome.others.length > 0 ? `; also ${outcome.others.join(", ")}` : ""}`,
			);
			if (!isNamed || !isOver || process.env.VERBOSE) say(outcome.said.replace(/^/gm, "      "));
		} catch (error) {
			failed++;
			say(`BAD ${label}: ${error instanceof Error ? error.message : String(error)}`);
		}
	}
}

const total = cases.length;
await Promise.all(Array.from({ length: jobs }, work));
say("\nwhat it was          what was said");
for (const [expected, row] of seen)
	say(`${expected.padEnd(20)} ${[...row].map(([said, count]) => `${said}: ${count}`).join(", ")}`);
say(`\nright the first time: ${right} of ${total} (${((100 * right) / total).toFixed(1)} %), goal 98 %`);
say(`healthy in time after the cause's end: ${healed} of ${total}`);
const enough = quick ? total - 1 : 0.98 * total;
const good = total > 0 && right >= enough && healed >= enough && failed <= total - enough;
say(`${right} passed, ${good ? 0 : Math.max(1, total - right)} failed`);
process.exit(good ? 0 : 1);
