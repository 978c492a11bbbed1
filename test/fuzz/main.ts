/**
 * `make fuzz`: a million inputs for each parser, and every shape of long ones.
 *
 *     npx tsx test/fuzz/main.ts [--inputs=N] [--seed=N] [--only=NAME]
 *     npx tsx test/fuzz/main.ts --again=SEED --only=NAME      one input again, by the seed that was printed with it
 */
import { fork } from "node:child_process";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { inspect, parseArgs } from "node:util";
import { ALL } from "./all.ts";
import { slowestOf } from "./growth.ts";
import type { Parser } from "./parser.ts";
import { play, playAgain } from "./play.ts";

const { values } = parseArgs({
	options: {
		inputs: { type: "string" },
		seed: { type: "string" },
		only: { type: "string" },
		again: { type: "string" },
	},
});
const inputs = Number(values.inputs ?? 1_000_000);
const seed = Number(values.seed ?? Date.now() % 2 ** 31);
const print = (text: string) => process.stdout.write(`${text}\n`);

/** Plays one parser in this process. @returns whether nothing was found */
function playOne(parser: Parser): boolean {
	const { kept, slowest, failures } = play(parser, inputs, seed);
	const long = slowestOf(parser, [...parser.shapes, ...parser.moreShapes]);
	const complaints = [
		...failures,
		...long.complaints,
		...(kept === 0 ? ["nothing was read of any input"] : []),
	];
	print(
		`${complaints.length === 0 ? "ok  " : "FAIL"} ${parser.name.padEnd(28)} ${inputs} inputs, ${kept} read; slowest ` +
			`${slowest.ms.toFixed(1)} ms (${slowest.size} characters, seed ${slowest.seed}); ` +
			`${parser.limit} characters ${long.ms.toFixed(0)} ms (${long.shape})`,
	);
	for (const complaint of complaints) print(complaint);
	return complaints.length === 0;
}

/** Has each parser played in a process of its own, as many at a time as there are processors. */
async function playAll(parsers: readonly Parser[]): Promise<void> {
	print(`seed ${seed}, ${inputs} inputs for each of ${parsers.length} parsers`);
	const waiting = [...parsers];
	let failed = 0;
	const work = async () => {
		for (let next = waiting.shift(); next; next = waiting.shift()) {
			const argv = [`--only=${next.name}`, `--inputs=${inputs}`, `--seed=${seed}`];
			const child = fork(fileURLToPath(import.meta.url), argv, { env: { ...process.env, FUZZ_ONE: "1" } });
			const code = await new Promise((resolve) => child.on("exit", resolve));
			if (code !== 0) failed++;
		}
	};
	await Promise.all(Array.from({ length: availableParallelism() }, work));
	print(`${parsers.length - failed} passed, ${failed} failed`);
	process.exitCode = failed === 0 ? 0 : 1;
}

const chosen = ALL.filter(({ name }) => values.only === undefined || name === values.only);
const [one] = chosen;
if (!one)
	throw new Error(`there is no parser ${values.only}; there are: ${ALL.map(({ name }) => name).join(", ")}`);
if (values.again !== undefined) {
	const { input, result, complaint, ms } = playAgain(one, Number(values.again));
	print(JSON.stringify(input));
	print(inspect(result, { depth: 8 }));
	print(`${complaint ?? "nothing is wrong"}; ${ms.toFixed(1)} ms`);
} else if (process.env.FUZZ_ONE !== undefined) process.exitCode = playOne(one) ? 0 : 1;
else await playAll(chosen);
