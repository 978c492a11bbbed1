/** A row of the table that `make bench` prints. */
export interface Figure {
	readonly what: string;
	readonly measured: string;
	/** The goal in words; absent for figures that are only told. */
	readonly goal?: string;
	readonly reached?: boolean;
}

/** @param part 0.5 for the median */
export function quantile(values: readonly number[], part: number): number {
	const sorted = [...values].sort((a, b) => a - b);
	const at = Math.min(sorted.length - 1, Math.ceil(part * sorted.length) - 1);
	return sorted[Math.max(0, at)] ?? Number.NaN;
}

/** Plain aligned columns. */
export function renderFigures(figures: readonly Figure[]): string {
	const rows = figures.map(({ what, measured, goal = "", reached }) => [
		what,
		measured,
		goal,
		reached === undefined ? "" : reached ? "reached" : "MISSED",
	]);
	const all = [["figure", "measured", "goal", ""], ...rows];
	const widths = [0, 1, 2, 3].map((column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
	return all
		.map((row) =>
			row
				.map((cell, column) => cell.padEnd(widths[column] ?? 0))
				.join("  ")
				.trimEnd(),
		)
		.join("\n");
}
