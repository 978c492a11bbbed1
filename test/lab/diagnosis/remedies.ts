import { birdVersions } from "../world.ts";
import { CAUSES, type Cause } from "./causes.ts";
import { compare, type Pair, type Schedule, worse } from "./compare.ts";

/**
 * What remediation does to every cause: played twice at the same times, with `option remediate '1'` and '0'. With it no session
 * may be lost more often, or be back later.
 *
 * ROUNDS (default 1), ONLY (a part of a cause's name or id), JOBS (causes at a time, each in two worlds; default 3, or 5 with
 * QUICK), FAMILIES, BIRDS as in main.ts. LASTS: seconds that a cause lasts (default 45, or 20 with QUICK). QUICK=1 plays each
 * cause once, on the BIRDs and families by turns, and watches it until the verdict is sure.
 */
const rounds = Number(process.env.ROUNDS ?? 1);
const only = process.env.ONLY ?? "";
const quick = process.env.QUICK === "1";
const jobs = Number(process.env.JOBS ?? (quick ? 5 : 3));
const [families, versions] = [
	(process.env.FAMILIES ?? "4,6").split(","),
	process.env.BIRDS?.split(",") ?? birdVersions.map(String),
];
const schedule: Schedule = {
	lasts: 1000 * Number(process.env.LASTS ?? (quick ? 20 : 45)),
	watch: 150_000,
	untilDecided: quick,
};

interface Case {
	readonly label: string;
	readonly cause: Cause;
	readonly run: () => Promise<Pair>;
}

const combinations = families.flatMap((family) => versions.map((version) => ({ family, version })));
const cases: Case[] = [];
for (let round = 1; round <= (quick ? 1 : rounds); round++)
	for (const [index, cause] of CAUSES.entries()) {
		if (!`${cause.name} ${cause.id}`.includes(only)) continue;
		const chosen = quick ? combinations.slice(index % combinations.length).slice(0, 1) : combinations;
		for (const { family, version } of chosen)
			cases.push({
				cause,
				label: `${cause.id.padEnd(19)} BIRD ${version} IPv${family}  ${cause.name}`,
				run: () =>
					compare(cause, { family: family === "6" ? 6 : 4, version: version === "2" ? 2 : 3 }, schedule),
			});
	}

const say = (text: string) => process.stdout.write(`${text}\n`);
let [passed, failed] = [0, 0];

function row({ with: left, without: right, watched }: Pair): string {
	const seconds = (milliseconds: number | undefined) =>
		milliseconds === undefined
			? `>${(watched / 1000).toFixed(0)} s`
			: `${(milliseconds / 1000).toFixed(1)} s`;
	const columns = [
		`${left.losses} ${right.losses}`,
		seconds(left.backAfter).padStart(8),
		seconds(right.backAfter).padStart(8),
		String(left.restarts).padStart(3),
	];
	return columns.join("  ");
}

async function work(): Promise<void> {
	for (let next = cases.shift(); next; next = cases.shift()) {
		const { cause, label, run } = next;
		try {
			const pair = await run();
			const why = worse(cause, pair);
			if (why === undefined) passed++;
			else failed++;
			say(`${why ? "BAD" : "ok "} ${row(pair)}  ${label}${why ? `: ${why}` : ""}`);
			if (why !== undefined || process.env.VERBOSE)
				for (const side of ["with", "without"] as const)
					say(`    ${side} remediation; 0 s is the cause's end\n${pair[side].said.replace(/^/gm, "      ")}`);
		} catch (error) {
			failed++;
			say(`BAD ${label}: ${error instanceof Error ? error.message : String(error)}`);
		}
	}
}

say("    lost  back after          restarts");
say("    +  -         +         -    +       + with remediation, - without it");
await Promise.all(Array.from({ length: jobs }, work));
say(`\n${passed} passed, ${failed} failed`);
process.exit(passed > 0 && failed === 0 ? 0 : 1);
