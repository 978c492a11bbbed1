/**
 * What was made last for each name, for as long as that which it was made from is the same. QuickJS keeps what a WeakMap
 * knows of an object that is gone until it collects garbage, and so would keep most of what a busy router was ever told.
 */
export class Memo<Made> {
	private readonly known = new Map<string, { one: unknown; other: unknown; made: Made }>();

	/**
	 * @param one what it is made from, together with `other`; both are compared by identity
	 * @param make called when either is a different one, with what was made before
	 */
	get(name: string, one: unknown, other: unknown, make: (before: Made | undefined) => Made): Made {
		const known = this.known.get(name);
		if (known && known.one === one && known.other === other) return known.made;
		const made = make(known?.made);
		this.known.set(name, { one, other, made });
		return made;
	}

	/** Forgets everything once half of it is of names that are gone. @param count how many names there are */
	limit(count: number): void {
		if (this.known.size > 2 * count + 16) this.known.clear();
	}
}
