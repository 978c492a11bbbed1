/**
 * The candidate nearest to a mistyped word, or undefined when none is near: at most one edit in words of up to four
 * letters, two in longer ones. An edit is a letter added, left out, replaced, or exchanged with its neighbour.
 */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
	if (word.length === 0 || word.length > 40) return undefined;
	const allowed = word.length <= 4 ? 1 : 2;
	let best: string | undefined;
	let bestDistance = allowed + 1;
	for (const candidate of candidates) {
		const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
		if (distance < bestDistance && distance < candidate.length) {
			best = candidate;
			bestDistance = distance;
		}
	}
	return best;
}

/** ` (did you mean 'x'?)`, or nothing, to be appended to an error message. */
export function didYouMean(word: string, candidates: readonly string[]): string {
	const candidate = nearest(word, candidates);
	return candidate === undefined ? "" : ` (did you mean '${candidate}'?)`;
}

/** Optimal string alignment: Levenshtein's distance with exchanges of neighbours. */
function editDistance(left: string, right: string): number {
	let beforeLast: number[] = [];
	let last = Array.from({ length: right.length + 1 }, (_, column) => column);
	for (let row = 1; row <= left.length; row++) {
		const current = [row];
		for (let column = 1; column <= right.length; column++) {
			const replaced = cell(last, column - 1) + (left[row - 1] === right[column - 1] ? 0 : 1);
			let cost = Math.min(replaced, cell(last, column) + 1, cell(current, column - 1) + 1);
			const exchanged =
				row > 1 && column > 1 && left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1];
			if (exchanged) cost = Math.min(cost, cell(beforeLast, column - 2) + 1);
			current.push(cost);
		}
		beforeLast = last;
		last = current;
	}
	return cell(last, right.length);
}

function cell(row: readonly number[], column: number): number {
	return row[column] ?? Number.POSITIVE_INFINITY;
}
