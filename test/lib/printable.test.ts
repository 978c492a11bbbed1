import { expect, it } from "vitest";
import { oneLine, printable, quoted, toJson } from "../../src/lib/printable.ts";

it.each([
	["plain", "plain"],
	["Grüße, 東京 😀", "Grüße, 東京 😀"],
	["\u001b[31mred", "\\x1b[31mred"],
	["a\r\nb\tc\u0000", "a\\x0d\\x0ab\\x09c\\x00"],
	["\u009b1m\u007f", "\\x9b1m\\x7f"],
	["\u202egnp\u2028\ufeff\u200b", "\\u202egnp\\u2028\\ufeff\\u200b"],
	["\ud83d alone \ude00", "\\ud83d alone \\ude00"],
])("%j becomes %s", (text, expected) => {
	expect(printable(text)).toBe(expected);
});

it("cuts between characters, never inside one", () => {
	expect(printable("😀😀😀😀", 3)).toBe("😀😀…");
	expect(printable("abc", 3)).toBe("abc");
	expect(printable("x".repeat(10_000_000), 5)).toBe("xxxx…");
	expect([...quoted("y".repeat(100))]).toHaveLength(62);
});

it("makes one line of anything, however long, with a space for each run of harmful characters", () => {
	expect(oneLine("a\r\n\u202eb\u001b[2J")).toBe("a b [2J");
	expect(oneLine("Grüße 😀")).toBe("Grüße 😀");
	expect(oneLine("x".repeat(100_000))).toHaveLength(100_000);
});

it("writes JSON whose strings are one line each, and is JSON.stringify for everybody else", () => {
	const plain = { name: 'a "b" \\ Grüße', list: [1, null, true], inner: { text: "c" } };
	expect(toJson(plain)).toBe(JSON.stringify(plain));
	expect(toJson(plain, "\t")).toBe(JSON.stringify(plain, null, "\t"));
	expect(JSON.parse(toJson({ name: "a\u001b[2J\u202e", list: ["b\nc"], alone: "\ud83d" }))).toEqual({
		name: "a [2J ",
		list: ["b c"],
		alone: " ",
	});
});
