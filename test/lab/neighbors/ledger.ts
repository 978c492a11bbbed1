import type { Cost } from "../meter.ts";
import type { Process } from "../process.ts";

/** What no neighbor may bring about. Memory in MB, processor in parts of a core, times in ms. */
export const BOUNDS = {
	/** Resident memory at any moment. */
	memory: 24,
	/** Resident memory some time later, beyond what it was before. */
	kept: 2,
	/** Processor of the daemon itself: while somebody floods it, has it look at something all the time, or neither. */
	flooded: 0.25,
	busy: 0.15,
	quiet: 0.1,
	/** And of its children. */
	children: 0.25,
	/** Lines of the log, beside those that a wipe or a change of BIRD's brings. */
	lines: 10,
	/** From a wipe to the table as it was. */
	repair: 1000,
	/** From a change in BIRD to status.json. */
	bird: 5000,
	/** Until a connection is left. */
	leave: 10_000,
	/** From SIGTERM to the end. */
	stop: 3000,
	processes: 12,
	descriptors: 64,
} as const;

/** Control characters but for tab and newline, separators of lines and paragraphs, and what turns the direction of writing. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const HARMFUL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/;

const percent = (part: number) => `${(100 * part).toFixed(0)} %`;
const megabytes = (value: number) => `${value.toFixed(1)} MB`;

/** What was seen in one play, and which bounds it broke. */
export class Ledger {
	readonly seen: string[] = [];
	readonly broken: string[] = [];
	/** For the table at the end. */
	readonly figures: { memory?: number; own?: number; children?: number; repair?: number; lines?: number } =
		{};
	private readonly unclean = new Set<string>();
	/** The daemon's, for whoever reads a failure. */
	log: Process | undefined;

	note(text: string): void {
		this.seen.push(text);
	}

	/** @param wrong what is to be told where it does not hold */
	holds(isSo: boolean, wrong: string): void {
		if (!isSo) this.broken.push(wrong);
	}

	atMost(what: string, value: number, limit: number, shown: (value: number) => string = String): void {
		this.holds(value <= limit, `${what}: ${shown(value)}, at most ${shown(limit)}`);
	}

	/** What a daemon has cost in such a time. */
	cost(cost: Cost, time: "flooded" | "busy" | "quiet"): void {
		const { own, children, peak, processes, descriptors } = cost;
		this.figures.memory = Math.max(this.figures.memory ?? 0, peak);
		this.figures.own = Math.max(this.figures.own ?? 0, own);
		this.figures.children = Math.max(this.figures.children ?? 0, children);
		this.note(`${megabytes(peak)}, ${percent(own)} + ${percent(children)} of a core`);
		this.atMost("memory", peak, BOUNDS.memory, megabytes);
		this.atMost("processor", own, BOUNDS[time], percent);
		this.atMost("processor of the children", children, BOUNDS.children, percent);
		this.atMost("children at once", processes, BOUNDS.processes);
		this.atMost("descriptors", descriptors, BOUNDS.descriptors);
	}

	lines(count: number, limit: number = BOUNDS.lines): void {
		this.figures.lines = Math.max(this.figures.lines ?? 0, count);
		this.note(`${count} lines`);
		this.atMost("lines of the log", count, limit);
	}

	/** @param how completes "repair of a wipe …" */
	repairs(milliseconds: readonly number[], how = ""): void {
		const shown = (value: number) => (Number.isFinite(value) ? `${value.toFixed(0)} ms` : "not at all");
		for (const each of milliseconds) {
			this.figures.repair = Math.max(this.figures.repair ?? 0, each);
			this.atMost(`repair of a wipe ${how}`.trim(), each, BOUNDS.repair, shown);
		}
		this.note(`repaired in ${milliseconds.map((each) => each.toFixed(0)).join(", ")} ms`);
	}

	/** Text of the daemon's must hold no control byte, and nothing that turns writing around. Told once of each place. */
	clean(where: string, text: string): void {
		if (this.unclean.has(where)) return;
		const found = HARMFUL.exec(text);
		if (!found) return;
		const around = text.slice(Math.max(0, found.index - 40), found.index + 40);
		this.unclean.add(where);
		this.broken.push(`${where} holds a control character: ${JSON.stringify(around)}`);
	}
}
