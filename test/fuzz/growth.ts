import { ofSize, type Parser, type Shape } from "./parser.ts";
import { timeOf } from "./play.ts";

/** What an eight times longer input may take, in times of the shorter one: n log n takes 10, the square 64. */
const MOST_RATIO = 24;
/** Milliseconds from which on a time is more than noise. */
const MEASURABLE = 2;
const SMALLEST = 8192;
/** Milliseconds that the longest input may take: on a machine under load, as in the tests. */
const MOST = 10_000;

export interface Growth {
	/** Microseconds for a character. */
	readonly cost: number;
	readonly complaint?: string;
}

/** How a parser's time grows from n to 8n characters of one shape. */
export function growthOf(parser: Parser, shape: Shape): Growth {
	let size = Math.min(SMALLEST, parser.limit);
	while (size < parser.limit && best(parser, shape, size, 2) < MEASURABLE)
		size = Math.min(size * 2, parser.limit);
	const sizes = [size / 8, size / 4, size / 2, size];
	let times = sizes.map((each) => best(parser, shape, each, 2));
	// A short time that a busy machine has made long hides growth, a long one is taken for it: so again, and again.
	for (let again = 0; isSteep(times) && again < 3; again++)
		times = times.map((time, index) => Math.min(time, best(parser, shape, sizes[index] ?? 0, 6)));
	const cost = (1000 * (times.at(-1) ?? 0)) / size;
	if (!isSteep(times)) return { cost };
	const figures = sizes.map((each, index) => `${each}: ${(times[index] ?? 0).toFixed(2)} ms`).join(", ");
	return { cost, complaint: `${parser.name}: ${shown(shape)}: grows too fast (${figures})` };
}

/** What the longest input takes, of the shape that costs most; and what is too slow. */
export function slowestOf(parser: Parser, shapes: readonly Shape[]) {
	let worst: { cost: number; shape: Shape } | undefined;
	const complaints: string[] = [];
	for (const shape of shapes) {
		const { cost, complaint } = growthOf(parser, shape);
		if (complaint !== undefined) complaints.push(complaint);
		else if (!worst || cost > worst.cost) worst = { cost, shape };
	}
	const ms = worst ? best(parser, worst.shape, parser.limit, 1) : Number.NaN;
	const shape = worst ? shown(worst.shape) : "";
	if (ms > MOST)
		complaints.push(`${parser.name}: ${shape}: ${ms.toFixed(0)} ms for ${parser.limit} characters`);
	return { ms, shape, complaints };
}

function best(parser: Parser, shape: Shape, size: number, runs: number): number {
	const input = ofSize(shape, size);
	return Math.min(...Array.from({ length: runs }, () => timeOf(parser, input)));
}

function isSteep(times: readonly number[]): boolean {
	const [first = 0, , , last = 0] = times;
	return last >= MEASURABLE && last > MOST_RATIO * Math.max(first, 0.02);
}

function shown(shape: Shape): string {
	return JSON.stringify(shape).slice(0, 120);
}
