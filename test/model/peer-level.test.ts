import { describe, expect, test } from "vitest";
import { headline, renderStatus } from "../../src/cli/text/status-page.ts";
import { judge } from "../../src/doctor/judge.ts";
import { catalogEntry, DIAGNOSES, type Level } from "../../src/model/catalog.ts";
import { isNote, peerLevel, routerLevel } from "../../src/model/peer-level.ts";
import { PROBLEMS, problemLevel } from "../../src/model/problem.ts";
import type { PeerStatus, RouterStatus, Status } from "../../src/model/status.ts";
import { HEALTHY, PEER, STATUS } from "../doctor/sample-facts.ts";

const NOTES = ["node-gone", "disabled"];
const STATES = ["Established", "Active", "Idle", "Passive", "OpenSent", "Down", undefined];

const states = STATES.flatMap((state) =>
	[undefined, ...DIAGNOSES].map((diagnosis) => ({ state, diagnosis })),
);
const peerOf = ({ state, diagnosis }: (typeof states)[number], name = "waukeen"): PeerStatus => {
	const { state: _, diagnosis: __, ...rest } = PEER;
	const said = { ...(state ? { state } : {}), ...(diagnosis ? { diagnosis } : {}) };
	return { ...rest, name, ...said, level: peerLevel(said) };
};
const statusOf = (peers: readonly PeerStatus[], router: Partial<RouterStatus> = {}): Status => {
	const whole = { ...STATUS.router, ...router };
	return { router: { ...whole, level: routerLevel(whole, peers) }, peers };
};

test("a peer that is down is red for every cause but the notes, and one that is up is as grave as its diagnosis", () => {
	expect(DIAGNOSES.filter(isNote)).toEqual(NOTES);
	for (const each of states) {
		const expected: Level = NOTES.includes(each.diagnosis ?? "")
			? "yellow"
			: each.state !== "Established"
				? "red"
				: each.diagnosis === undefined || each.diagnosis === "healthy"
					? "green"
					: (catalogEntry(each.diagnosis)?.gravity ?? "red");
		expect(peerLevel(peerOf(each)), JSON.stringify(each)).toBe(expected);
	}
	// As a later version may say it.
	for (const diagnosis of ["of-tomorrow", "constructor"] as unknown as PeerStatus["diagnosis"][])
		expect(peerLevel({ state: "Established", ...(diagnosis ? { diagnosis } : {}) })).toBe("red");
});

test("status, its exit code, its color, the doctor and what is published say the same of each peer", () => {
	for (const each of states) {
		const status = statusOf([peerOf(each)]);
		const { level } = status.router;
		const what = JSON.stringify(each);
		const peers = status.peers.map(peerLevel);
		expect(level === "red", what).toBe(peers.includes("red"));
		expect(headline(status).fine, what).toBe(level !== "red");
		const color = { red: "\u001b[31m", yellow: "\u001b[33m", green: "\u001b[32m" }[level];
		expect(renderStatus(status, 0, { color: true }).startsWith(color), what).toBe(true);
		// Of the daemon's diagnoses alone: BIRD says nothing.
		const report = judge({ ...HEALTHY, status, bird: { reading: { peers: [] }, protocols: [] } });
		const told = report.causes.filter(({ subject }) => subject === "waukeen").map((cause) => cause.level);
		if (each.diagnosis !== undefined && each.diagnosis !== "healthy") expect(told, what).toEqual(peers);
	}
});

describe("the router", () => {
	const up = peerOf({ state: "Established", diagnosis: "healthy" });
	const down = peerOf({ state: "Active", diagnosis: "waiting" }, "drizzt");
	const off = peerOf({ state: "Down", diagnosis: "disabled" }, "unwanted");

	test.each<[string, readonly PeerStatus[], Partial<RouterStatus>, Level]>([
		["all are up", [up], {}, "green"],
		["one is meant to be down", [up, off], {}, "green"],
		["all are meant to be down", [off], {}, "green"],
		["one is down", [up, down, off], {}, "red"],
		["there is none", [], {}, "red"],
		["the table is missing", [up], { protection: "missing" }, "red"],
		["BIRD does not answer", [up], { bird: { reachable: false } }, "red"],
		["a problem without a kind", [up], { problem: "x" }, "red"],
		["a problem, and a peer is down", [down], { problem: "x", problem_kind: "released" }, "red"],
	])("%s", (_, peers, router, level) => {
		const status = statusOf(peers, router);
		expect(status.router.level).toBe(level);
		expect(headline(status).fine).toBe(level !== "red");
	});

	test.each(PROBLEMS)("problem %s", (problem_kind) => {
		const status = statusOf([up], { problem: "x", problem_kind });
		expect(status.router.level).toBe(problemLevel(problem_kind));
		expect(headline(status).fine).toBe(problemLevel(problem_kind) === "yellow");
	});
});

test("a problem that is no fault hides none that is", () => {
	const firstYellow = PROBLEMS.findIndex((kind) => problemLevel(kind) === "yellow");
	expect(firstYellow).toBeGreaterThan(0);
	expect(PROBLEMS.slice(firstYellow).filter((kind) => problemLevel(kind) === "red")).toEqual([]);
});
