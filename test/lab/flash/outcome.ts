/** What was checked, one line each, and the sum that the last line tells. */
export class Outcome {
	private passed = 0;
	private failed = 0;

	/** @param wrong what was seen instead, or a list of it; nothing: it holds */
	check(what: string, wrong: string | readonly string[] | undefined): void {
		const found = typeof wrong === "string" ? [wrong] : (wrong ?? []);
		if (found.length === 0) this.passed++;
		else this.failed++;
		this.say(`${found.length === 0 ? "ok " : "BAD"} ${what}`);
		for (const line of found) this.say(line.replace(/^/gm, "      "));
	}

	say(text: string): void {
		process.stdout.write(`${text}\n`);
	}

	/** @returns the exit code */
	close(): number {
		this.say(`${this.passed} passed, ${this.failed} failed`);
		return this.passed > 0 && this.failed === 0 ? 0 : 1;
	}
}
