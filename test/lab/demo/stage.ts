import type { Message } from "../programs.ts";

const COLORS = { green: 32, red: 31, yellow: 33, cyan: 36, dim: 2, bold: 1 } as const;
export type Color = keyof typeof COLORS;

/** Characters of a line that are shown. */
const WIDTH = 150;

/** What the audience sees: a timeline with real times, and the summary at its end. */
export class Stage {
	private readonly start = performance.now();
	private readonly color = process.stdout.isTTY === true && !process.env.NO_COLOR;
	private readonly results: { what: string; held: boolean; figure: string }[] = [];

	title(text: string): void {
		this.print(`\n${this.paint("bold", text)}`);
	}

	/** A sentence of the story. */
	tell(text: string): void {
		this.line(" ", text);
	}

	/** An MQTT message as it came. */
	mqtt({ topic, payload }: Message): void {
		const shown = payload === "" ? "(empty: removed)" : payload;
		this.line("~", this.paint("dim", `${topic} ${shown}`.slice(0, WIDTH)));
	}

	/** Something that had to hold, or a measured figure. */
	result(what: string, held: boolean, figure = ""): void {
		this.results.push({ what, held, figure });
		const mark = held ? this.paint("green", "+") : this.paint("red", "x");
		this.line(mark, `${what}${figure === "" ? "" : `: ${this.paint("bold", figure)}`}`);
	}

	/** @returns whether everything held */
	summary(): boolean {
		const width = Math.max(...this.results.map(({ what }) => what.length));
		this.title("Summary");
		for (const { what, held, figure } of this.results) {
			const verdict = held ? this.paint("green", "held  ") : this.paint("red", "FAILED");
			this.print(`  ${verdict}  ${what.padEnd(width)}  ${figure}`);
		}
		const failed = this.results.filter(({ held }) => !held).length;
		const seconds = Math.round((performance.now() - this.start) / 1000);
		const verdict =
			failed === 0
				? this.paint("green", `Everything held: ${this.results.length} of ${this.results.length}`)
				: this.paint("red", `${failed} of ${this.results.length} did not hold`);
		this.print(`\n${verdict}, in ${seconds} s.\n`);
		return failed === 0 && this.results.length > 0;
	}

	private line(mark: string, text: string): void {
		const seconds = ((performance.now() - this.start) / 1000).toFixed(2).padStart(7);
		this.print(`${this.paint("cyan", `${seconds} s`)} ${mark} ${text}`);
	}

	private paint(color: Color, text: string): string {
		return this.color ? `\x1b[${COLORS[color]}m${text}\x1b[0m` : text;
	}

	private print(text: string): void {
		process.stdout.write(`${text}\n`);
	}
}
