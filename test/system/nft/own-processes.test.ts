import { expect, test } from "vitest";
import { createNft } from "../../../src/system/nft/nft.ts";
import { FakePlatform } from "../../fakes/platform.ts";

test("a process of the daemon's own is known for as long as the monitor may show it, and its number is not for ever", () => {
	const platform = new FakePlatform();
	const nft = createNft(platform);
	nft.claim(4711);
	platform.advance(20_000);
	expect(nft.isOwn(4711)).toBe(true);
	expect(nft.isOwn(4712)).toBe(false);
	platform.advance(20_000);
	expect(nft.isOwn(4711)).toBe(false);
	nft.claim(4711);
	expect(nft.isOwn(4711)).toBe(true);
});

test("no more than 32 of them are remembered", () => {
	const nft = createNft(new FakePlatform());
	for (let pid = 1; pid <= 40; pid++) nft.claim(pid);
	expect(Array.from({ length: 40 }, (_, index) => nft.isOwn(index + 1)).filter(Boolean)).toHaveLength(32);
});
