import { expect, it } from "vitest";
import { printable, quoted } from "../../src/lib/printable.ts";

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
