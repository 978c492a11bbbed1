import type { Platform } from "../../src/platform/types.ts";
import type { ContractCase } from "./suite.ts";

/** Milliseconds that a case may take. */
const LIMIT = 20_000;

/** What a case's line says. */
export interface CaseResult {
	readonly name: string;
	readonly failure?: string | undefined;
}

/**
 * Runs cases without a test framework: one line of JSON for each, `{"ended":COUNT}` as the last one, and exit code 0 only
 * when all have passed. A case that never settles fails, and its timer keeps an engine's loop from running empty, which
 * would end the process with exit code 0.
 */
export async function runCases(
	platform: Platform,
	cases: readonly ContractCase[],
	limit = LIMIT,
): Promise<void> {
	const print = (line: object) => platform.print("stdout", `${JSON.stringify(line)}\n`);
	let failures = 0;
	for (const { name, run } of cases) {
		const failure = await outcome(platform, () => run(platform), limit);
		if (failure !== undefined) failures++;
		print({ name, failure });
	}
	print({ ended: cases.length });
	platform.exit(failures === 0 ? 0 : 1);
}

/** @returns why a case failed, or undefined */
function outcome(platform: Platform, run: () => Promise<void>, limit: number): Promise<string | undefined> {
	return new Promise((resolve) => {
		const timer = platform.after(limit, () => resolve(`it has not settled after ${limit} ms`));
		run()
			.then(
				() => resolve(undefined),
				(error: Error) => resolve(error.message),
			)
			.finally(() => timer.cancel());
	});
}

/** How the process of a run ended and what it printed; `spawnSync`'s. */
export interface Run {
	readonly status: number | null;
	readonly signal: string | null;
	readonly stdout: string;
	readonly stderr: string;
	readonly error?: Error;
}

/**
 * Reads what `runCases` has printed. Pure.
 * @returns the cases' results, and in `cut` what is wrong with the run as a whole: it did not get to its end
 */
export function readRun(run: Run, names: readonly string[]): { results: CaseResult[]; cut?: string } {
	const results: CaseResult[] = [];
	let ended: number | undefined;
	for (const line of run.stdout.split("\n")) {
		if (line === "") continue;
		let value: { name?: unknown; failure?: string; ended?: number };
		try {
			value = JSON.parse(line);
		} catch {
			return { results, cut: `a line that is none of the run's: ${line}` };
		}
		if (ended !== undefined) return { results, cut: `a line after the last one: ${line}` };
		if (typeof value.ended === "number") ended = value.ended;
		else if (typeof value.name === "string") results.push({ name: value.name, failure: value.failure });
	}
	const how = run.signal ? `killed by ${run.signal}` : `exit code ${run.status}`;
	const said = [run.error?.message, run.stderr.trim()].filter(Boolean).join("; ");
	const why = `${how}${said === "" ? "" : `, ${said}`}`;
	if (ended === undefined)
		return { results, cut: `ended early, after ${results.length} of ${names.length} cases: ${why}` };
	if (ended !== names.length || results.map(({ name }) => name).join("\n") !== names.join("\n"))
		return { results, cut: `${results.length} cases were run, of ${names.length}: ${why}` };
	const failed = results.some(({ failure }) => failure !== undefined);
	if (run.status !== (failed ? 1 : 0) || said !== "")
		return { results, cut: `all cases were run, but: ${why}` };
	return { results };
}
