import { type Cell, DEPENDENCIES, FAULTS, type Mode } from "./cell.ts";
import { CELLS, gaps, LEFT_OUT, modes, reason } from "./matrix.ts";
import { NotReady, type Played, play } from "./play.ts";
import { World } from "./world.ts";

/**
 * Every fault of everything that the daemon depends on, one after the other in a few worlds, and a table of what came of it.
 *
 * ONLY (a part of `dependency: fault (mode), what`, or several with | between them), JOBS (worlds at a time, default 4), QUICK=1 (without what lasts long, without the second modes, and openssl, whose faults are nc's),
 * VERBOSE (what the daemon said in a cell that failed).
 */
const only = (process.env.ONLY ?? "").split("|");
const jobs = Number(process.env.JOBS ?? 4);
const quick = process.env.QUICK === "1";
/** Milliseconds that a fault lasts at most with QUICK. */
const QUICK_LASTS = 5000;
const say = (text: string) => process.stdout.write(`${text}\n`);

interface Task {
	readonly cell: Cell;
	readonly mode: Mode;
	readonly label: string;
}

const missing = gaps();
if (missing.length > 0) throw new Error(`neither played nor left out: ${missing.join(", ")}`);
const isShort = ({ dependency, lasts = 0 }: Cell) => lasts <= QUICK_LASTS && dependency !== "openssl";
const tasks: Task[] = CELLS.filter((cell) => !quick || isShort(cell))
	.flatMap((cell) =>
		modes(cell)
			.slice(0, quick ? 1 : undefined)
			.map((mode) => ({ cell, mode })),
	)
	.map((task) => ({
		...task,
		label: `${task.cell.dependency}: ${task.cell.fault} (${task.mode}), ${task.cell.what}`,
	}))
	.filter(({ label }) => only.some((part) => label.includes(part)))
	// What lasts longest goes first, so that no world is alone at the end.
	.sort((one, other) => (other.cell.lasts ?? 0) - (one.cell.lasts ?? 0));

/** A program's last words may be anything. */
const printable = (text: string) =>
	text
		.replace(/\s*\n\s*/g, " | ")
		.replace(/[^\x20-\x7e]/g, "?")
		.slice(0, 400);

/** What failed, in a word each, by dependency and fault; empty: survived. */
const seen = new Map<string, Set<string>>();
const failed: string[] = [];
let passed = 0;

function report({ cell, label }: Task, { failures, notes, tail }: Played, took: number): void {
	const place = `${cell.dependency}: ${cell.fault}`;
	const words = seen.get(place) ?? new Set<string>();
	seen.set(place, words);
	for (const failure of failures) words.add(failure.in);
	const bad = failures.length > 0;
	const what = failures.map((failure) => `${failure.in}: ${printable(failure.seen)}`);
	say(`${bad ? "BAD" : "ok "} ${took.toFixed(0).padStart(3)} s  ${label}: ${[...what, ...notes].join("; ")}`);
	if (bad) failed.push(`${label}\n${what.map((line) => `      ${line}`).join("\n")}`);
	else passed++;
	if (process.env.VERBOSE) say(tail.replace(/^/gm, "          | "));
}

async function work(): Promise<void> {
	let world: World | undefined;
	for (let next = tasks.shift(); next; next = tasks.shift()) {
		const start = performance.now();
		let played: Played;
		try {
			world ??= await World.start();
			played = await play(world, next.cell, next.mode);
		} catch (error) {
			const where = error instanceof NotReady ? "before" : "lab";
			const seen = error instanceof Error ? error.message : String(error);
			played = { failures: [{ in: where, seen }], notes: [], tail: "" };
		}
		report(next, played, (performance.now() - start) / 1000);
		try {
			if (played.failures.length > 0) throw new Error("what it is like is not known");
			await world?.reset();
		} catch {
			await world?.stop();
			world = undefined;
		}
	}
	await world?.stop();
}

/** One line a dependency: `ok`, `-` (not played), or the first word of what failed. */
function table(): string {
	const width = 11;
	const mark = (dependency: string, fault: string) => {
		const words = seen.get(`${dependency}: ${fault}`);
		if (words?.size === 0) return "ok";
		const [first, ...others] = words ?? [];
		return first === undefined
			? reason(dependency, fault) === undefined
				? ""
				: "-"
			: `${first}${others.length > 0 ? "+" : ""}`;
	};
	const columns = [
		"missing",
		"dies",
		"in a loop",
		"hangs",
		"stopped",
		"garbage",
		"half",
		"10 MB",
		"slow",
		"127",
		"full",
		"read-only",
	];
	const row = (first: string, cells: readonly string[]) =>
		[first.padEnd(14), ...cells.map((cell) => cell.slice(0, width - 1).padEnd(width))].join("").trimEnd();
	const rows = DEPENDENCIES.filter((dependency) =>
		[...seen.keys()].some((key) => key.startsWith(`${dependency}: `)),
	).map((dependency) =>
		row(
			dependency,
			FAULTS.map((fault) => mark(dependency, fault)),
		),
	);
	return [row("", columns), ...rows].join("\n");
}

const total = tasks.length;
const began = performance.now();
await Promise.all(Array.from({ length: Math.min(jobs, total) }, work));
say(`\nok: survived; -: left out; other words: what failed\n\n${table()}\n`);
if (!quick && only.join() === "")
	for (const { dependency, faults, why } of LEFT_OUT)
		say(`left out: ${dependency}: ${faults.join(", ")}: ${why}`);
if (failed.length > 0) say(`\nfailed:\n${failed.map((text) => `   ${text}`).join("\n")}`);
say(`\n${total} cells in ${((performance.now() - began) / 1000).toFixed(0)} s`);
say(`${passed} passed, ${total === 0 ? 1 : total - passed} failed`);
process.exit(total > 0 && passed === total ? 0 : 1);
