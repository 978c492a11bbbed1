import { readFileSync } from "node:fs";
import { pause, until } from "../wait.ts";
import type { Aspect, Cell, Mode } from "./cell.ts";
import { commands, disturb, hasTable, lacks, mqtt, peers, repair, seconds, status } from "./probes.ts";
import { BOUNDS, watch } from "./watch.ts";
import type { World } from "./world.ts";

/** Milliseconds from the part's return in which all is as before. */
const BACK_WITHIN = 10_000;
/** How much longer is waited, to tell late from never. */
const LATE = 15_000;
/** Milliseconds for SIGTERM to be obeyed. */
const ENDED_WITHIN = 3000;
/** Milliseconds for what must be said: the longest patience with a program is 5 s. */
const SAID_WITHIN = 10_000;

export interface Failure {
	/** In a word, for the table. */
	readonly in: string;
	readonly seen: string;
}

export interface Played {
	readonly failures: readonly Failure[];
	/** What was measured. */
	readonly notes: readonly string[];
	readonly tail: string;
}

/** The world was not well before the fault: nothing is known about the cell. */
export class NotReady extends Error {}

/** Plays one cell in a world that is at rest, and leaves it at rest. */
export async function play(world: World, cell: Cell, mode: Mode): Promise<Played> {
	const failures: Failure[] = [];
	const notes: string[] = [];
	const note = (where: string, seen: string) => failures.push({ in: where, seen });
	const attempt = async (where: string, work: () => Promise<unknown>) => {
		try {
			const seen = await work();
			if (typeof seen === "string") note(where, seen);
		} catch (error) {
			note(where, error instanceof Error ? error.message : String(error));
		}
	};
	const repaired = async (where: string) => {
		const { seen, took } = await repair(world);
		if (took !== undefined) notes.push(`${where} ${seconds(took)}`);
		return seen;
	};

	await start(world, cell, mode, attempt);
	const rests = (aspect: Aspect) => cell.rests?.includes(aspect) === true;
	const costs = watch(world, { ...BOUNDS, ...cell.bounds });
	const firstLine = cell.atStart ? 0 : world.daemon.process.lines.length;
	const began = performance.now();
	if (!cell.atStart) await attempt("begin", () => cell.begin(world));

	if (rests("repair")) {
		if (!cell.keepsTable) await disturb(world);
	} else await attempt("repair", () => repaired("wiped, back after"));
	if (!rests("commands")) await attempt("commands", () => commands(world, cell.refuses ?? []));
	if (!rests("peers")) await attempt("peers", () => peers(world));
	else if (!rests("status")) await attempt("status", () => status(world));
	if (!rests("mqtt")) await attempt("mqtt", () => mqtt(world));
	if (cell.also) await attempt("also", async () => cell.also?.(world));
	const { says } = cell;
	if (says) await attempt("said", () => untilSaid(world, says, firstLine));
	const left = (cell.lasts ?? 0) - (performance.now() - began);
	if (left > 0) {
		await pause(left);
		if (!rests("repair")) await attempt("repair", () => repaired("at the end, back after"));
	}
	for (const [where, seen] of costs.over()) note(where, seen);
	await attempt("end", () => cell.end(world));

	await attempt("back", () => back(world, cell, notes));
	if (failures.every((failure) => failure.in !== "back")) await again(world, cell, attempt, repaired);
	const tail = world.daemon.process.tail(25);
	await cell.tidy?.(world);
	return { failures, notes, tail };
}

type Attempt = (where: string, work: () => Promise<unknown>) => Promise<void>;

async function start(world: World, cell: Cell, mode: Mode, attempt: Attempt): Promise<void> {
	await world.ready(cell, mode);
	await cell.prepare?.(world);
	if (cell.atStart) await attempt("begin", () => cell.begin(world));
	world.startDaemon();
	if (cell.atStart) {
		if (!cell.rests?.includes("status"))
			await attempt("start", async () => {
				await world.daemon.untilStatus("anything", () => true);
			});
		if (!cell.rests?.includes("repair"))
			await attempt("start", async () => {
				await until("the table", () => hasTable(world));
			});
		return;
	}
	try {
		await until("all to be well", () => lacks(world), {
			holds: (what) => what === undefined,
			timeout: 20_000,
		});
	} catch (error) {
		throw new NotReady(`${(error as Error).message}\n${world.daemon.process.tail()}`);
	}
}

/** Everything is as before, and stands its own test. */
async function back(world: World, cell: Cell, notes: string[]): Promise<string | undefined> {
	const start = performance.now();
	const missing = async () => (await lacks(world)) ?? (await cell.restored?.(world));
	const options = { holds: (what: string | undefined) => what === undefined, every: 100 };
	let lasting: string | undefined;
	try {
		await until("all to be as before", missing, { ...options, timeout: BACK_WITHIN });
	} catch (error) {
		lasting = (error as Error).message.replace(/^waited.*?; last seen: /s, "");
		if (!world.daemon.process.running) return `the daemon has ended:\n${world.daemon.process.tail(5)}`;
		try {
			await until("all to be as before", missing, { ...options, timeout: LATE });
		} catch {
			return `not after ${(BACK_WITHIN + LATE) / 1000} s: ${lasting}`;
		}
	}
	const took = performance.now() - start;
	if (lasting !== undefined) return `after ${seconds(took)}; until then: ${lasting}`;
	notes.push(`as before after ${seconds(took)}`);
	return undefined;
}

/** The repaired daemon does its work, and one that meets the fault anew ends when it is told to, with all its children. */
async function again(
	world: World,
	cell: Cell,
	attempt: Attempt,
	repaired: (where: string) => Promise<string | undefined>,
): Promise<void> {
	await attempt("repair later", () => repaired("later"));
	await attempt("commands later", () => commands(world, []));
	await attempt("peers later", () => peers(world));
	if (cell.term === false) return;
	// Whether it meets it does not matter any more: what was tried often is not tried at once.
	await cell.begin(world).catch(() => {});
	// It is told to end while it waits for what is broken.
	if (cell.rests?.includes("repair") && !cell.keepsTable) await disturb(world);
	const children = world.children().map(({ pid, command }) => [pid, startTime(pid), command] as const);
	let ended = false;
	await attempt("SIGTERM", async () => {
		const { process } = world.daemon;
		world.terminate();
		await until("the end", () => !process.running, { timeout: ENDED_WITHIN, every: 20 });
		const { code, signal } = await process.ended;
		ended = true;
		return code === 0 ? undefined : `it ended with ${signal ?? `code ${code}`}`;
	});
	const still = () =>
		children.filter(([pid, started]) => started !== undefined && startTime(pid) === started);
	if (ended)
		await attempt("outlived", () =>
			until("no child to outlive the daemon", still, { holds: ({ length }) => length === 0, timeout: 1000 })
				.then(() => undefined)
				.catch(() =>
					still()
						.map(([, , command]) => command)
						.join(", "),
				),
		);
	await attempt("end", () => cell.end(world));
}

/** With its id, a process's name for ever; undefined: it has ended. */
function startTime(pid: number): string | undefined {
	try {
		const [state, ...rest] = readFileSync(`/proc/${pid}/stat`, "latin1")
			.replace(/^.*\) /s, "")
			.split(" ");
		return state === "Z" ? undefined : rest[18];
	} catch {
		return undefined;
	}
}

async function untilSaid(world: World, says: RegExp, firstLine: number): Promise<string | undefined> {
	const said = () => {
		if (world.daemon.process.lines.slice(firstLine).some((line) => says.test(line))) return true;
		const { router, mqtt } = world.warden.status() ?? {};
		const told = [router?.problem, router?.explanation, router?.diagnosis, mqtt?.reason];
		return told.some((text) => says.test(text ?? ""));
	};
	return until("it to be said", said, { timeout: SAID_WITHIN })
		.then(() => undefined)
		.catch(() => `nothing like ${says}`);
}
