import { spawnSync } from "node:child_process";
import { resolve } from "node:path";
import { qjsCommand } from "../qjs.ts";

/** What a run of the contract under qjs came to. */
export interface ContractRun {
	/** Why it is no whole run; undefined: it ended by itself, with all its cases and no error output. */
	readonly failure: string | undefined;
	/** The cases that were run, each with what broke it. */
	readonly results: readonly { readonly name: string; readonly failure?: string }[];
}

/** Runs a bundle of run.ts under the qjs of this machine, or under another command. */
export function runContract(bundle: string, command = qjsCommand()): ContractRun {
	const [program, ...args] = command;
	const path = program.includes("/") ? resolve(program) : program;
	const run = spawnSync(path, [...args, "-m", bundle], { encoding: "utf8", timeout: 60_000 });
	const lines: Record<string, unknown>[] = [];
	for (const line of (run.stdout ?? "").split("\n").filter(Boolean)) {
		try {
			lines.push(JSON.parse(line));
		} catch {
			return { failure: `it printed ${JSON.stringify(line.slice(0, 100))}`, results: [] };
		}
	}
	const results = lines.filter((line) => "name" in line) as unknown as ContractRun["results"];
	const end = lines.at(-1)?.cases;
	return { failure: whyNotWhole(run, results.length, end), results };
}

function whyNotWhole(
	{ error, status, signal, stderr }: ReturnType<typeof spawnSync>,
	count: number,
	end: unknown,
): string | undefined {
	if (error) return error.message;
	if (signal) return `it was ended by ${signal} after ${count} cases`;
	if (status !== 0) return `exit ${status} after ${count} cases: ${String(stderr).split("\n", 1)[0]}`;
	if (end !== count || count === 0) return `it ended early, after ${count} cases`;
	return String(stderr) === "" ? undefined : `it printed an error: ${String(stderr).split("\n", 1)[0]}`;
}
