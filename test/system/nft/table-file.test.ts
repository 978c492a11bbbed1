import { beforeEach, describe, expect, test } from "vitest";
import { hash } from "../../../src/lib/hash.ts";
import { TABLE_FILE, TableFile } from "../../../src/system/nft/table-file.ts";
import { FakePlatform } from "../../fakes/platform.ts";

let platform: FakePlatform;
let file: TableFile;
/** Operations on the file that are more than a stat. */
let touched: string[];

beforeEach(() => {
	platform = new FakePlatform();
	touched = [];
	const files = new Proxy(platform.files, {
		get(target, name) {
			const value = Reflect.get(target, name);
			if (typeof value !== "function") return value;
			return (...args: unknown[]) => {
				if (name === "read" || name === "replace") touched.push(name);
				return value.apply(target, args);
			};
		},
	});
	file = new TableFile(files, () => platform.now().monotonic);
});

const text = () => platform.files.read(TABLE_FILE);
const MINUTE = 60_000;

test("nothing is written before the daemon knows what, and nothing twice", () => {
	expect(file.check()).toBeUndefined();
	expect(file.fingerprint).toBeUndefined();
	expect(touched).toEqual([]);
	expect(file.save("one")).toEqual({});
	expect(file.save("one")).toBeUndefined();
	expect(touched).toEqual(["replace"]);
	expect(file.fingerprint).toBe(hash("one"));
});

test("what is there already is kept, and not written again", () => {
	platform.files.set(TABLE_FILE, "one");
	file.save("one");
	expect(touched).toEqual(["read"]);
});

test("a look at rest is a stat", () => {
	file.save("one");
	touched.length = 0;
	for (let round = 0; round < 10; round++) {
		platform.advance(MINUTE);
		expect(file.check()).toBeUndefined();
	}
	expect(touched).toEqual([]);
});

describe.each<[string, () => void, "missing" | "changed"]>([
	["deleted", () => platform.files.remove(TABLE_FILE), "missing"],
	["emptied", () => platform.files.set(TABLE_FILE, ""), "changed"],
	["replaced by a foreign file", () => platform.files.set(TABLE_FILE, "table inet other { }"), "changed"],
	["replaced by one of the same size", () => platform.files.set(TABLE_FILE, "two"), "changed"],
	["replaced by an enormous one", () => platform.files.set(TABLE_FILE, "x".repeat(5_000_000)), "changed"],
])("a file that was %s", (_, change, replaced) => {
	test("is written again at the next look, and that is told", () => {
		file.save("one");
		platform.advance(MINUTE);
		change();
		expect(file.check()).toEqual({ replaced });
		expect(text()).toBe("one");
		expect(file.check()).toBeUndefined();
	});

	test("again and again is written once a minute", () => {
		file.save("one");
		platform.advance(MINUTE);
		touched.length = 0;
		for (let second = 0; second < 180; second++) {
			change();
			file.check();
			platform.advance(1000);
		}
		expect(touched.filter((operation) => operation === "replace")).toHaveLength(3);
	});
});

test("a file that was written anew with the same text is read once", () => {
	file.save("one");
	platform.advance(MINUTE);
	platform.files.set(TABLE_FILE, "one");
	touched.length = 0;
	expect(file.check()).toEqual({});
	expect(file.check()).toBeUndefined();
	expect(touched).toEqual(["read"]);
});

test("what cannot be written is tried every 4 s, in the end once a minute, and at once with the next install", () => {
	platform.files.fail(TABLE_FILE, "No space left on device");
	expect(file.save("one")?.failure).toMatch(/No space left on device/);
	const tries = () => touched.filter((operation) => operation === "replace").length;
	for (let second = 1; second <= 48; second++) {
		platform.advance(1000);
		const look = file.check();
		if (second % 4 === 0) expect(look?.failure).toMatch(/No space left on device/);
		else expect(look).toBeUndefined();
	}
	expect(tries()).toBe(13);
	platform.advance(59_000);
	expect(file.check()).toBeUndefined();
	platform.advance(1000);
	expect(file.check()?.failure).toMatch(/No space left on device/);
	expect(tries()).toBe(14);
	platform.files.fail(TABLE_FILE, undefined);
	expect(file.save("one")).toEqual({});
	expect(text()).toBe("one");
});
