import { describe, expect, test } from "vitest";
import type { Facts } from "../../src/doctor/facts.ts";
import { red, yellow } from "../../src/doctor/finding.ts";
import { judge } from "../../src/doctor/judge.ts";
import { collectPeers } from "../../src/doctor/known-peers.ts";
import { rootCauses, withoutConsequences } from "../../src/doctor/root-causes.ts";
import type { BirdPeer } from "../../src/model/bird.ts";
import type { PeerStatus, Status } from "../../src/model/status.ts";
import { HEALTHY, PEER, rulesets, STATUS } from "./sample-facts.ts";

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

describe("peers that are not up", () => {
	const causes = (peers: readonly Partial<BirdPeer>[], told?: Status) => {
		const live = peers.map((each) => ({ name: "waukeen", protocolState: "up", ...each }));
		const { status: _, ...rest } = HEALTHY;
		const facts: Facts = {
			...rest,
			bird: { reading: { peers: live }, protocols: [] },
			...(told ? { status: told } : {}),
		};
		const known = collectPeers(facts);
		return rootCauses(facts, known).map(({ id, level }) => `${level} ${id}`);
	};
	const telling = (changes: Partial<PeerStatus>): Status => ({ ...STATUS, peers: [{ ...PEER, ...changes }] });

	test("without a daemon: what a person has disabled is a note, what BIRD has given up is not", () => {
		expect(causes([{ protocolState: "down", state: "Down" }])).toEqual(["yellow disabled"]);
		const lastError = { text: "Error: No listening socket" };
		expect(causes([{ protocolState: "down", state: "Down", lastError }])).toEqual(["red peer-down"]);
		expect(causes([{ protocolState: "start", state: "Passive" }])).toEqual(["red peer-down"]);
		expect(causes([{ state: "Established" }])).toEqual([]);
	});

	test.each<[Partial<PeerStatus>, string]>([
		[{ state: "Down", diagnosis: "disabled" }, "yellow disabled"],
		[{ state: "Passive", diagnosis: "node-gone" }, "yellow node-gone"],
		[{ state: "Active", diagnosis: "route-kind" }, "red route-kind"],
		[{ state: "Idle", diagnosis: "flapping" }, "red flapping"],
		[{ state: "Established", diagnosis: "flapping" }, "yellow flapping"],
	])("the daemon's diagnosis is as grave as the peer is down: %o", (peer, cause) => {
		expect(causes([{ state: peer.state ?? "" }], telling(peer))).toEqual([cause]);
	});

	test("what merely waits is explained by a rule that the walk finds", () => {
		const status = telling({ state: "Active", diagnosis: "waiting", explanation: "waits" });
		const live = { name: "waukeen", protocolState: "start", state: "Active", neighborAddress: "192.168.1.2" };
		const report = judge({
			...HEALTHY,
			status,
			bird: { reading: { peers: [live] }, protocols: [] },
			ruleset: rulesets("sing-box"),
		});
		expect(report.level).toBe("red");
		const found = report.causes.filter(({ subject }) => subject === "waukeen").map(({ id }) => id);
		expect(found).toEqual(["bgp-caught"]);
	});
});
