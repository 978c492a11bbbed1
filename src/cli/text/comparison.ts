import type { Comparison } from "../../render/compare.ts";

/** What `render bird --check` prints: a line for each difference and note, and last what it comes to. */
export function renderComparison(path: string, { differences, notes }: Comparison): string {
	const lines = [
		...differences.map(({ peer, what, there, wanted }) => {
			const whose = peer === undefined ? "" : `${peer}: `;
			return `${whose}${what}: ${there}, wanted ${wanted}`;
		}),
		...notes.map((note) => `note: ${note}`),
		differences.length === 0
			? `${path}: fits`
			: `${path}: ${differences.length} ${differences.length === 1 ? "difference" : "differences"}`,
	];
	return `${lines.join("\n")}\n`;
}
