import { describe, expect, test } from "vitest";
import { parseAddress } from "../../src/lib/address.ts";
import { parsePrefix } from "../../src/lib/prefix.ts";
import { parseProtocols } from "../../src/system/bird/protocol-reader.ts";
import { parseReply } from "../../src/system/bird/replies.ts";
import { Random } from "../random.ts";
import { captures } from "./captures.ts";

const ROUNDS = 5000;

describe("what is read says the same when it is written again", () => {
	const random = new Random();
	const byte = () => random.below(256);

	test("addresses", () => {
		for (let round = 0; round < ROUNDS; round++) {
			const bytes =
				random.below(2) === 0
					? [byte(), byte(), byte(), byte()]
					: Array.from({ length: 16 }, () => (random.below(3) === 0 ? 0 : byte()));
			const text =
				bytes.length === 4
					? bytes.join(".")
					: Array.from({ length: 8 }, (_, group) =>
							(((bytes[group * 2] ?? 0) << 8) | (bytes[group * 2 + 1] ?? 0)).toString(16),
						).join(":");
			const address = parseAddress(text);
			expect(address?.bytes, text).toEqual(bytes);
			expect(parseAddress(address?.text ?? "")?.text, text).toBe(address?.text);
		}
	});

	test("prefixes", () => {
		for (let round = 0; round < ROUNDS; round++) {
			const length = random.below(33);
			const value = length === 0 ? 0 : (random.below(2 ** 31) * 2 + random.below(2)) & (-1 << (32 - length));
			const text = `${[24, 16, 8, 0].map((shift) => (value >>> shift) & 0xff).join(".")}/${length}`;
			expect(parsePrefix(text)?.text).toBe(text);
		}
	});
});

test("a cut in BIRD's answer changes no protocol that is read from what came before it", () => {
	const random = new Random();
	const answers = captures("bird", /\.txt$/).flatMap((text) => text.split(/^bird> .*\n/m));
	const peersOf = (text: string) => {
		const reply = parseReply(text);
		return (reply && parseProtocols(reply)) ?? [];
	};
	const whole = answers.filter((text) => peersOf(text).length > 0);
	expect(whole.length).toBeGreaterThan(5);
	for (let round = 0; round < 1500; round++) {
		const text = random.pick(whole);
		const all = peersOf(text);
		// A cut between two protocols cannot be told; the prompt that is missing then tells the client.
		for (const [index, peer] of peersOf(text.slice(0, random.below(text.length))).entries())
			expect(peer).toEqual(all[index]);
	}
});
