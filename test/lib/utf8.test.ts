import { expect, test } from "vitest";
import { decodeUtf8, encodeUtf8 } from "../../src/lib/utf8.ts";

test.each([
	["Grüße", [0x47, 0x72, 0xc3, 0xbc, 0xc3, 0x9f, 0x65]],
	["\ufffda", [0xff, 0x61]],
	["\ufffd\ufffd", [0xc3, 0xff]],
	["😀", [0xf0, 0x9f, 0x98, 0x80]],
])("%s", (text, bytes) => {
	expect(decodeUtf8(Uint8Array.from(bytes))).toBe(text);
});

test("beyond a thousand bytes that are not UTF-8 it is garbage, and what is ASCII in it stays", () => {
	const bytes = Uint8Array.from({ length: 4000 }, (_, index) => (index % 2 === 0 ? 0xff : 0x61));
	expect(decodeUtf8(bytes)).toBe("\ufffda".repeat(2000));
	const rest = encodeUtf8("ü\nok");
	expect(decodeUtf8(Uint8Array.from([...bytes, ...rest])).slice(-5)).toBe("\ufffd\ufffd\nok");
	// A page of a language that has no ASCII is read whole.
	const long = "улица ".repeat(50_000);
	expect(decodeUtf8(encodeUtf8(long))).toBe(long);
});

test.each([0, 1, 16_383, 16_384, 16_385, 32_768, 40_000])(
	"%i characters of ASCII, and others behind them",
	(length) => {
		const text = "a".repeat(length);
		expect(decodeUtf8(encodeUtf8(text))).toBe(text);
		expect(decodeUtf8(encodeUtf8(`${text}ü${text}`))).toBe(`${text}ü${text}`);
	},
);
