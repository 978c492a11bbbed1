/**
 * A small generator of inputs for property tests: the same seed makes the same inputs. SEED=… tries others.
 * xorshift32 (Marsaglia, Xorshift RNGs, 2003).
 */
export class Random {
	private state: number;

	constructor(readonly seed = Number(process.env.SEED ?? 20261127)) {
		this.state = seed | 0 || 1;
	}

	/** @returns a whole number from 0, less than `limit` */
	below(limit: number): number {
		this.state ^= this.state << 13;
		this.state ^= this.state >>> 17;
		this.state ^= this.state << 5;
		return (this.state >>> 0) % limit;
	}

	pick<Item>(items: readonly Item[]): Item {
		const item = items[this.below(items.length)];
		if (item === undefined) throw new Error("nothing to pick from");
		return item;
	}

	/** Any characters, those that formats use more often than others. */
	text(longest: number): string {
		const length = this.below(longest + 1);
		return Array.from({ length }, () =>
			this.below(4) === 0
				? String.fromCharCode(this.below(0x3000))
				: this.pick([..."abc019 \t\n-_.:;,/%#@\"'{}[]()=<>\\|&*+?!$"]),
		).join("");
	}

	/** A text with a few mistakes in it: cut, doubled, exchanged, with huge numbers and dangerous names. */
	mutate(text: string): string {
		let result = text;
		for (let count = 1 + this.below(4); count > 0; count--) {
			const at = this.below(result.length + 1);
			const end = Math.min(result.length, at + this.below(40));
			const piece = result.slice(at, end);
			const other = this.pick([
				"",
				piece + piece,
				this.text(12),
				this.pick(["__proto__", "constructor", "toString", "hasOwnProperty"]),
				this.pick(["99999999999999999999", "-1", "0x", "1e999", "NaN", "null"]),
				piece.split("").reverse().join(""),
			]);
			result = result.slice(0, at) + other + result.slice(end);
		}
		return this.below(5) === 0 ? result.slice(0, this.below(result.length + 1)) : result;
	}
}
