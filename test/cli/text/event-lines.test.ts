import { describe, expect, it } from "vitest";
import { parseEventLine, renderEvent } from "../../../src/cli/text/event-lines.ts";
import type { StoredEvent } from "../../../src/model/event.ts";

const PLAIN = { color: false };
const AT = "2026-03-01T12:00:00.250+01:00";

describe("renderEvent", () => {
	it.each<[Omit<StoredEvent, "at">, string]>([
		[
			{
				event_type: "table_lost",
				by: "nft",
				described: "nft (pid 4711, nft flush ruleset), started by /bin/sh /etc/init.d/firewall stop",
				pid: 4711,
				command: "nft flush ruleset",
				parent: "/bin/sh /etc/init.d/firewall stop",
			},
			"table deleted      by nft (pid 4711, nft flush ruleset), started by /bin/sh /etc/init.d/firewall stop",
		],
		[
			{ event_type: "table_restored", by: "nft", pid: 4711, reason: "deleted", milliseconds: 3.3 },
			"table restored     by nft, after 3.3 ms, reason: deleted",
		],
		[{ event_type: "table_changed" }, "table changed"],
		[{ event_type: "conntrack_flushed", deleted: 2, left: 0 }, "conntrack flushed  2 deleted"],
		[{ event_type: "conntrack_flushed", deleted: 2, left: 1 }, "conntrack flushed  2 deleted, 1 left"],
		[{ event_type: "peer_up", peer: "waukeen" }, "peer up            waukeen"],
		[
			{ event_type: "peer_down", peer: "waukeen", state: "Active", last_error: "Hold timer expired" },
			"peer down          waukeen, state: Active, last error: Hold timer expired",
		],
		[{ event_type: "bird_back", version: undefined }, "BIRD back"],
		[{ event_type: "peer_up", peer: "a\u001b[2J\nb" }, "peer up            a\\x1b[2J\\x0ab"],
	])("%j", (event, text) => {
		expect(renderEvent({ ...event, at: AT } as StoredEvent, PLAIN)).toBe(`2026-03-01 11:00:00Z  ${text}`);
	});

	it("shows what a later version may have written as it is", () => {
		const event = parseEventLine(
			'{"event_type":"moon_full","at":"yesterday","bright":true,"depth":{"a":[1]},"none":null}',
		);
		expect(event && renderEvent(event, PLAIN)).toBe(
			'yesterday  moon full          bright: true, depth: {"a":[1]}',
		);
	});

	it("has colours when told", () => {
		expect(renderEvent({ event_type: "peer_down", at: AT, peer: "p" }, { color: true })).toBe(
			"\u001b[2m2026-03-01 11:00:00Z\u001b[0m  \u001b[31mpeer down\u001b[0m          p",
		);
	});
});

it.each([
	"",
	"{",
	"null",
	"[]",
	"1",
	'{"event_type":"peer_up"}',
	'{"at":"x","event_type":1}',
	'{"event_type":"peer_up","at":"2026',
])("parseEventLine takes %j for no event", (line) => {
	expect(parseEventLine(line)).toBeUndefined();
});
