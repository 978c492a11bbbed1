import { beforeEach, expect, test } from "vitest";
import { Alarm } from "../../src/platform/alarm.ts";
import { FakePlatform } from "../fakes/platform.ts";

let platform: FakePlatform;
let rung: number[];
let alarm: Alarm;
const now = () => platform.now().monotonic;

beforeEach(() => {
	platform = new FakePlatform();
	const start = now();
	rung = [];
	alarm = new Alarm(platform, () => rung.push(now() - start));
});

test("rings once, at the time that was set last", () => {
	alarm.set(now() + 100);
	alarm.set(now() + 300);
	platform.advance(1000);
	expect(rung).toEqual([300]);
	expect(alarm.isSet).toBe(false);
});

test("does not ring any more once that was taken back", () => {
	alarm.set(now() + 100);
	alarm.set(undefined);
	expect(alarm.isSet).toBe(false);
	platform.advance(1000);
	expect(rung).toEqual([]);
});

test("of several wishes the earliest counts", () => {
	for (const milliseconds of [500, 200, 400]) alarm.within(milliseconds);
	platform.advance(1000);
	expect(rung).toEqual([200]);
});

test("never rings at once, also for a time that is over", () => {
	alarm.set(now() - 50);
	expect(rung).toEqual([]);
	platform.advance(1);
	expect(rung).toEqual([1]);
});

test("may be set again while it rings", () => {
	let left = 3;
	const chain: Alarm = new Alarm(platform, () => {
		rung.push(0);
		if (--left > 0) chain.within(10);
	});
	chain.within(10);
	platform.advance(30);
	expect(rung).toHaveLength(3);
});
