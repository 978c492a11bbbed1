import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { zoneOfChains } from "../../src/model/fw4-zone.ts";
import { type Effect, effectOfRule } from "../../src/model/rule-effect.ts";
import type { Rule } from "../../src/model/ruleset.ts";
import { describeRule } from "../../src/ruleset/rule-text.ts";
import { parseRuleset } from "../../src/system/nft/ruleset-json.ts";

/** What the statements of a rule do, as the walker takes them. */
function effectOfStatements({ statements }: Rule): Effect | undefined {
	for (const statement of statements) {
		switch (statement.kind) {
			case "reject":
			case "queue":
			case "tproxy":
			case "redirect":
			case "dnat":
			case "snat":
			case "masquerade":
			case "synproxy":
			case "notrack":
				return statement.kind;
			case "verdict":
				if (statement.verdict.kind === "drop") return "drop";
		}
	}
	return undefined;
}

const folder = new URL("../fixtures/nft/", import.meta.url);
const captures = readdirSync(folder).filter((name) => /-ruleset-.*\.json$/.test(name));

describe("a rule's text says the same as its statements", () => {
	test.each(captures)("in %s", (name) => {
		const ruleset = parseRuleset(readFileSync(new URL(name, folder), "utf8"));
		const rules = (ruleset?.tables ?? []).flatMap(({ chains }) =>
			[...chains.values()].flatMap(({ rules }) => rules),
		);
		for (const rule of rules) {
			const text = describeRule(rule);
			const effect = effectOfRule(text);
			// That a mark is set is not the rule's verdict.
			expect(effect === "mark" ? undefined : effect, text).toBe(effectOfStatements(rule));
		}
		expect(rules.length).toBeGreaterThan(0);
	});
});

test.each<[string, Effect | undefined]>([
	['tcp dport 179 counter xt target "TPROXY"', undefined],
	["tcp dport 179 TPROXY redirect 127.0.0.1:7894", "tproxy"],
	["tcp dport 179 jump redirect", undefined],
	["ip daddr @drop accept", undefined],
	['tcp dport 179 accept comment "no redirect here"', undefined],
	['log prefix "reject wan in: " drop', "drop"],
	["meta mark set 0x00000001 tproxy to :7894", "tproxy"],
	["meta mark set 0x00002024", "mark"],
	['fwd ip to 192.0.2.1 device "eth0"', "fwd"],
	["tcp flags syn / fin,syn,rst,ack queue flags bypass to 100", "queue"],
])("%s", (text, effect) => {
	expect(effectOfRule(text)).toBe(effect);
});

test.each([
	[["input", "input_lan", "reject_from_lan", "handle_reject"], "lan"],
	[["output", "accept_to_wan"], "wan"],
	[["drop_to_my_zone"], "my_zone"],
	[["input", "handle_reject"], undefined],
	[["forward_lan"], undefined],
])("the zone of the chains %j is %s", (chains, zone) => {
	expect(zoneOfChains(chains)).toBe(zone);
});
