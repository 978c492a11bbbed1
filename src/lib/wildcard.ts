/** One place of a pattern: any text, or one character that fits. */
export type Place = "*" | ((character: string) => boolean);

/** Whether a text fits a pattern. A regular expression takes many times longer with each further `*`; this does not. */
export function fits(pattern: readonly Place[], text: string): boolean {
	let [at, place] = [0, 0];
	/** The last `*`, and where what it takes ends. */
	let [star, end] = [-1, 0];
	while (at < text.length) {
		const each = pattern[place];
		if (each === "*") {
			star = place++;
			end = at;
		} else if (each?.(text[at] ?? "")) {
			at++;
			place++;
		} else if (star >= 0) {
			place = star + 1;
			at = ++end;
		} else return false;
	}
	return pattern.slice(place).every((each) => each === "*");
}

/** The place that one character of a pattern stands for: `*`, `?`, or itself. */
export function placeOf(character: string): Place {
	if (character === "*") return character;
	return character === "?" ? () => true : (each) => each === character;
}
