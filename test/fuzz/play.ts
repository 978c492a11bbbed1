import { Random } from "../random.ts";
import type { Parser } from "./parser.ts";

/** Milliseconds that no input of the ordinary rounds may take. */
const SLOW = 50;
/** Failures that are told of one parser. */
const TOLD = 3;

export interface Played {
	readonly inputs: number;
	/** Inputs of which something was read. */
	readonly kept: number;
	/** The slowest input: milliseconds, characters, seed. */
	readonly slowest: { readonly ms: number; readonly size: number; readonly seed: number };
	/** One text for each, with the input's own seed. */
	readonly failures: readonly string[];
}

/** Tries a parser with this many inputs. Each has a seed of its own, from which alone it can be made again. */
export function play(parser: Parser, inputs: number, seed: number): Played {
	const failures: string[] = [];
	let kept = 0;
	let slowest = { ms: 0, size: 0, seed: 0 };
	for (let round = 0; round < inputs && failures.length < TOLD; round++) {
		const own = mixed(seed, round);
		const input = parser.input(new Random(own));
		const start = performance.now();
		const said = tried(parser, input);
		let ms = performance.now() - start;
		if (said.read) kept++;
		// A busy machine is no slow parser.
		if (ms > slowest.ms) ms = Math.min(ms, timeOf(parser, input), timeOf(parser, input));
		if (ms > slowest.ms) slowest = { ms, size: input.length, seed: own };
		const complaint = said.complaint ?? (ms > SLOW ? `${ms.toFixed(0)} ms` : undefined);
		if (complaint !== undefined) failures.push(described(parser, own, input, complaint));
	}
	return { inputs, kept, slowest, failures };
}

/** One input again, by its seed. @returns the input, what is read of it, and what is wrong */
export function playAgain(parser: Parser, seed: number) {
	const input = parser.input(new Random(seed));
	return { input, ...tried(parser, input), ms: timeOf(parser, input) };
}

/**
 * Milliseconds of one call: by the clock, or by the processor where that is less. On a busy machine the first is too long, and
 * the second counts the engine's own threads.
 */
export function timeOf(parser: Parser, input: string): number {
	const start = performance.now();
	const before = process.cpuUsage();
	try {
		parser.parse(input);
	} catch {
		// Told where it is tried.
	}
	const { user, system } = process.cpuUsage(before);
	return Math.min(performance.now() - start, (user + system) / 1000);
}

function tried(parser: Parser, input: string): { read: boolean; result?: unknown; complaint?: string } {
	let result: unknown;
	try {
		result = parser.parse(input);
	} catch (error) {
		return { read: false, complaint: `throws ${error instanceof Error ? error.message : String(error)}` };
	}
	const read = result !== undefined && !(Array.isArray(result) && result.length === 0);
	const complaint = parser.check(result);
	return complaint === undefined ? { read, result } : { read, result, complaint };
}

function described({ name }: Parser, seed: number, input: string, complaint: string): string {
	return `${name}: ${complaint}\n  again: npx tsx test/fuzz/main.ts --only='${name}' --again=${seed}\n  input: ${JSON.stringify(input).slice(0, 400)}`;
}

/** A seed for each round that has nothing to do with the next one's (the finalizer of MurmurHash3). */
function mixed(seed: number, round: number): number {
	let value = Math.imul(seed ^ Math.imul(round + 1, 0x9e3779b1), 0x85ebca6b);
	value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
	return (value ^ (value >>> 16)) >>> 0 || 1;
}
