/** Whole numbers out of what others have written: what is not exact, or more than can be, is none. */

/** A number in decimal digits. @param text absent: none */
export function wholeNumber(text: string | undefined, most = Number.MAX_SAFE_INTEGER): number | undefined {
	return text !== undefined && /^\d+$/.test(text) ? within(Number(text), 0, most) : undefined;
}

/** A number of JSON's, or any other value, if it is a whole number between these. */
export function within(
	value: unknown,
	least = 0,
	most: number = Number.MAX_SAFE_INTEGER,
): number | undefined {
	const fits = Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most;
	return fits ? (value as number) : undefined;
}
