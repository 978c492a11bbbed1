import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { bfdPackets, type Ends, peerOpens, routerOpens } from "../../src/ruleset/bgp-packets.ts";
import type { Walk } from "../../src/ruleset/hit.ts";
import { parseRuleset } from "../../src/system/nft/ruleset-json.ts";

/** Real packets meet real rulesets in test/lab/scenarios/ruleset.lab.ts; here is what they cannot show. */

const text = (name: string) =>
	readFileSync(new URL(`../fixtures/nft/nft-1.1.3-ruleset-${name}.json`, import.meta.url), "utf8");
const ends: Ends = { family: 4, peer: [192, 168, 1, 2], local: [192, 168, 1, 1], interface: "br-lan" };

function ruleset(name: string, change = (json: string) => json) {
	const read = parseRuleset(change(text(name)));
	if (!read) throw new Error(name);
	return read;
}

const effects = ({ hits }: Walk) =>
	hits.map(({ effect, certain }) => (certain ? effect : `perhaps ${effect}`));

test("a queue is met, and the way goes on behind it", () => {
	const queued = (json: string) => {
		const listing = JSON.parse(json);
		for (const { rule } of listing.nftables) {
			if (rule?.comment?.startsWith("queue")) rule.expr.push({ queue: { num: 100, flags: "bypass" } });
		}
		return JSON.stringify(listing);
	};
	const { syn } = peerOpens(ruleset("sing-box", queued), ends);
	// nft's listing of `@th,104,8 & 0x12 == 0x2` loses which flags it is about.
	expect(effects(syn)).toEqual(["perhaps queue", "redirect"]);
	expect(syn.outcome).toBe("diverted");
});

test("the router's own SYN meets the rules of output", () => {
	const { syn, answer } = routerOpens(ruleset("nikki"), ends);
	// What a control group leaves alone cannot be told from here.
	expect(effects(syn)).toEqual(["perhaps mark"]);
	expect(answer.state).toBe("established");
});

test("BFD is UDP, and a wan zone rejects it", () => {
	const fw4 = ruleset("fw4");
	const lan = bfdPackets(fw4, ends, 4784);
	expect([lan.incoming.outcome, lan.outgoing.outcome]).toEqual(["through", "through"]);
	const wan = bfdPackets(fw4, { ...ends, interface: "eth1" }, 3784);
	expect(effects(wan.incoming)).toEqual(["reject"]);
	expect(wan.incoming.hits[0]?.path).toEqual(["input", "input_wan", "reject_from_wan", "handle_reject"]);
	expect(effects(wan.outgoing)).toEqual(["masquerade"]);
});

test("what is not known makes a match uncertain, not impossible", () => {
	const blind: Ends = { family: 4, peer: [192, 168, 1, 2] };
	expect(effects(peerOpens(ruleset("nikki"), blind).syn)).toEqual(["perhaps tproxy", "perhaps redirect"]);
});

test("sets that are not listed may hold the peer", () => {
	const terse = parseRuleset(text("nikki"), true);
	if (!terse) throw new Error("nikki");
	expect(effects(peerOpens(terse, ends).syn)).toEqual(["perhaps tproxy", "perhaps redirect"]);
});

test("jumps in a circle end, as the kernel would not even load them", () => {
	const rule = (chain: string, target: string) => ({
		rule: { family: "inet", table: "t", chain, handle: 1, expr: [{ jump: { target } }] },
	});
	const nftables = [
		{ table: { family: "inet", name: "t" } },
		{
			chain: {
				family: "inet",
				table: "t",
				name: "a",
				type: "filter",
				hook: "input",
				prio: 0,
				policy: "accept",
			},
		},
		{ chain: { family: "inet", table: "t", name: "b" } },
		rule("a", "b"),
		rule("b", "b"),
	];
	const circle = parseRuleset(JSON.stringify({ nftables }));
	expect(circle && peerOpens(circle, ends).syn.outcome).toBe("through");
});
