import { describe, expect, test } from "vitest";
import { red, yellow } from "../../src/doctor/finding.ts";
import { withoutConsequences } from "../../src/doctor/root-causes.ts";

const peers = new Set(["waukeen", "drizzt"]);
const ids = (findings: readonly { id: string; subject: string }[]) =>
	findings.map(({ id, subject }) => `${id} ${subject}`);

describe("a consequence is not told beside its cause", () => {
	test("of the router: without openssl there is no connection to the broker", () => {
		const found = [red("openssl-missing", "openssl", "…"), yellow("mqtt-not-connected", "MQTT", "…")];
		expect(ids(withoutConsequences([], found, peers).review)).toEqual(["openssl-missing openssl"]);
	});

	test("of one peer: what is found of another stays", () => {
		const cause = red("hijacked", "waukeen", "…");
		const found = [red("bgp-caught", "waukeen", "…"), red("bgp-caught", "drizzt", "…")];
		expect(ids(withoutConsequences([cause], found, peers).review)).toEqual(["bgp-caught drizzt"]);
	});

	test("of every peer: BIRD cannot be asked because there is no client", () => {
		const causes = [red("bird-down", "waukeen", "…")];
		const told = withoutConsequences(causes, [red("bird-client-missing", "birdcl", "…")], peers);
		expect(ids(told.causes)).toEqual([]);
		expect(ids(told.review)).toEqual(["bird-client-missing birdcl"]);
	});

	test("but what is fine is no cause of anything", () => {
		const fine = { id: "nc-missing", level: "green", subject: "nc", text: "…" } as const;
		const found = [fine, yellow("mqtt-not-connected", "MQTT", "…")];
		expect(ids(withoutConsequences([], found, peers).review)).toContain("mqtt-not-connected MQTT");
	});

	test("the same fault of the same peer is told once, as its cause", () => {
		const cause = red("bfd-mode-mismatch", "waukeen", "…");
		const told = withoutConsequences([cause], [red("bfd-mode-mismatch", "waukeen", "…")], peers);
		expect(ids(told.causes)).toEqual(["bfd-mode-mismatch waukeen"]);
		expect(told.review).toEqual([]);
	});

	test("a peer that is down gets what explains it as its cause, if that is sure", () => {
		const down = red("peer-down", "waukeen", "…");
		const sure = withoutConsequences([down], [red("bgp-blocked", "waukeen", "…")], peers);
		expect(ids(sure.causes)).toEqual(["bgp-blocked waukeen"]);
		expect(sure.review).toEqual([]);
		const perhaps = withoutConsequences([down], [yellow("bgp-blocked", "waukeen", "…")], peers);
		expect(ids(perhaps.causes)).toEqual(["peer-down waukeen"]);
		expect(ids(perhaps.review)).toEqual(["bgp-blocked waukeen"]);
	});
});
