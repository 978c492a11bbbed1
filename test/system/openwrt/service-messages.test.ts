import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parseServiceEvent, parseServiceList } from "../../../src/system/openwrt/service-events.ts";
import { parseComplaint, parseEvent, parseReply } from "../../../src/system/openwrt/service-messages.ts";

/** ubus and procd of OpenWrt's main branch, built from their sources; procd's services were dummies. */
function fixture(name: string): string {
	const url = new URL(`../../fixtures/ubus/ubus-2025-12-02-${name}`, import.meta.url);
	return readFileSync(url, "utf8");
}

function linesOf(name: string): string[] {
	return fixture(name)
		.split("\n")
		.filter((line) => line !== "");
}

function expected(name: string): unknown {
	return JSON.parse(fixture(`${name}.json`));
}

test("what procd does to services: start, restart, kill, stop, crash loop, a missing program", () => {
	const events = linesOf("subscribe.txt").map((line) => parseEvent(line));
	expect(events).not.toContain(undefined);
	const changes = events.map((event) => (event && parseServiceEvent(event)) ?? null);
	expect(changes).toEqual(expected("subscribe"));
	expect(changes.at(-1)).toBeNull();
});

test("objects that come to the bus", () => {
	expect(linesOf("listen.txt").map(parseEvent)).toEqual(expected("listen"));
});

test("the running processes of all services", () => {
	const reply = parseReply(fixture("call-service-list.txt"));
	expect(reply && parseServiceList(reply)).toEqual(expected("call-service-list"));
	expect(parseServiceList({ x: 1, y: { instances: [] }, z: { instances: { a: null } } })).toEqual([]);
});

test("ubus's own words in its complaints", () => {
	const complaints = linesOf("errors.txt").filter((line) => !/^(\$|exit)/.test(line));
	expect(complaints.map(parseComplaint)).toEqual(expected("errors"));
});

test.each(["", "{", "[]", "1", "null", '{"a":1}', "{}", '{"a":{},"b":{}}', '{ "a": [] }'])(
	"%j is no event",
	(line) => {
		expect(parseEvent(line)).toBeUndefined();
	},
);

test("notifications that name no service are none of ours", () => {
	const event = (line: string) => {
		const parsed = parseEvent(line);
		return parsed && parseServiceEvent(parsed);
	};
	expect(event('{ "instance.start": {"service":7} }')).toBeUndefined();
	expect(event('{ "instance.start": {"service":""} }')).toBeUndefined();
	expect(event('{ "container.start": {"service":"x"} }')).toBeUndefined();
	expect(event('{ "instance.stop": {"service":"x","instance":1,"exit_code":"1"} }')).toEqual({
		service: "x",
		change: "stop",
	});
});

test("a method that answers nothing answers an empty object", () => {
	expect(parseReply("\n")).toEqual({});
	expect(parseReply('{"a":1}\n{"a":2}')).toBeUndefined();
});
