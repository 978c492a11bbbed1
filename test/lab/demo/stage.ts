import type { Message } from "../programs.ts";

const COLORS = { green: 32, red: 31, yellow: 33, cyan: 36, dim: 2, bold: 1 } as const;
type Color = keyof typeof COLORS;

/** Columns of a line, the time in front of it included: the terminal's, within what is pleasant to read. */
const WIDTH = Math.min(Math.max(process.stdout.columns ?? 100, 60), 120);
/** Columns that the time and the mark take. */
const MARGIN = 13;

/** What the audience sees: a timeline with real times, and the summary at its end. */
export class Stage {
	private readonly start = performance.now();
	private readonly color = process.stdout.isTTY === true && !process.env.NO_COLOR;
	private readonly results: { what: string; held: boolean; figure: string }[] = [];

	/** A chapter: its name, and one sentence on what happens in it and why that matters. */
	chapter(name: string, sentence: string): void {
		this.print(`\n${this.paint("bold", name)}`);
		this.print(wrap(sentence, WIDTH));
	}

	/** A step of the story. */
	tell(text: string): void {
		this.line(" ", text);
	}

	/** An MQTT message as it came; only its beginning when it is long. */
	mqtt({ topic, payload }: Message): void {
		const shown = payload === "" ? "(empty: removed)" : payload;
		this.line("~", `${topic} ${shown}`, "dim");
	}

	/** Something that had to hold, or a measured figure. */
	result(what: string, held: boolean, figure = ""): void {
		this.results.push({ what, held, figure });
		this.line(held ? "+" : "x", `${what}${figure === "" ? "" : `: ${figure}`}`, held ? "green" : "red");
	}

	/** Why the story ends here: a failure, and what the program concerned said last. */
	failure(message: string, said: string): void {
		this.results.push({ what: "the story went on to its end", held: false, figure: "" });
		this.print(`\n${this.paint("red", message)}`);
		if (said !== "") this.print(`the daemon said last:\n${said.replace(/^/gm, "    ")}`);
	}

	/** @returns whether everything held */
	summary(): boolean {
		const width = Math.max(...this.results.map(({ what }) => what.length));
		this.print(`\n${this.paint("bold", "Summary")}`);
		for (const { what, held, figure } of this.results) {
			const verdict = held ? this.paint("green", "held  ") : this.paint("red", "FAILED");
			this.print(`  ${verdict}  ${what.padEnd(width)}  ${figure}`.trimEnd());
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

	private line(mark: string, text: string, color?: Color): void {
		const seconds = ((performance.now() - this.start) / 1000).toFixed(2).padStart(7);
		const room = WIDTH - MARGIN;
		const shown = text.length > room ? `${text.slice(0, room - 1)}…` : text;
		this.print(
			`${this.paint("cyan", `${seconds} s`)} ${color ? this.paint(color, `${mark} ${shown}`) : `${mark} ${shown}`}`,
		);
	}

	private paint(color: Color, text: string): string {
		return this.color ? `\x1b[${COLORS[color]}m${text}\x1b[0m` : text;
	}

	private print(text: string): void {
		process.stdout.write(`${text}\n`);
	}
}

/** Breaks a text at spaces into lines of this many characters at most. */
function wrap(text: string, width: number): string {
	const lines = [""];
	for (const word of text.split(" ")) {
		const line = lines.at(-1) ?? "";
		if (line === "") lines[lines.length - 1] = word;
		else if (line.length + 1 + word.length <= width) lines[lines.length - 1] = `${line} ${word}`;
		else lines.push(word);
	}
	return lines.join("\n");
}
