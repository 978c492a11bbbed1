import { expect, test } from "vitest";
import { Memo } from "../../src/lib/memo.ts";

test("is made again when one of the two that it was made from is another, and only then", () => {
	const memo = new Memo<object>();
	const [one, same] = [{}, {}];
	const made = memo.get("a", one, 1, () => ({}));
	const never = () => {
		throw new Error("made again");
	};
	expect(memo.get("a", one, 1, never)).toBe(made);
	// Alike is not the same.
	expect(memo.get("a", same, 1, () => ({}))).not.toBe(made);
	expect(() => memo.get("a", same, 2, never)).toThrow("made again");
	expect(() => memo.get("__proto__", same, 1, never)).toThrow("made again");
});

test("keeps little of names that are gone", () => {
	const memo = new Memo<number>();
	let makes = 0;
	const get = (name: string) => memo.get(name, undefined, undefined, () => ++makes);
	for (let index = 0; index < 18; index++) get(`peer_${index}`);
	memo.limit(1);
	get("peer_17");
	expect(makes).toBe(18);
	get("peer_18");
	memo.limit(1);
	get("peer_17");
	expect(makes).toBe(20);
});
