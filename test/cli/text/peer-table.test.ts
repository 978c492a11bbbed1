import { expect, it } from "vitest";
import { renderPeers } from "../../../src/cli/text/peer-table.ts";

const NOW = Date.parse("2026-03-01T12:00:00Z");

it("aligns the columns and has a dash for what could not be read", () => {
	const text = renderPeers(
		[
			{ name: "a-long-protocol-name", level: "red", flaps: 12 },
			{
				name: "six",
				level: "green",
				state: "Established",
				since: "2026-02-25T10:00:00Z",
				neighbor_address: "2001:db8::1",
				neighbor_as: 4294967295,
				bfd: "admin_down",
				imported: 0,
				exported: 1200,
				preferred: 0,
				flaps: 0,
			},
		],
		NOW,
		{ color: false },
	);
	expect(text).toBe(
		`PEER                  STATE        FOR         NEIGHBOR             AS  BFD         IMPORTED  EXPORTED  PREFERRED  FLAPS
a-long-protocol-name  -            -           -                     -  -                  -         -          -     12
six                   Established  4 days 2 h  2001:db8::1  4294967295  admin down         0      1200          0      0
`,
	);
});

it("says below what there is to say about a peer; an old error of an Established one is no news", () => {
	const remarks = {
		last_error: "Hold timer expired",
		diagnosis: "hijacked",
		explanation: "its SYNs are redirected",
		remedy: "stop the proxy",
		tried: "restarted in BIRD",
	} as const;
	const text = renderPeers(
		[
			{ name: "down", level: "red", state: "Active", flaps: 1, ...remarks },
			{
				name: "up",
				level: "green",
				state: "Established",
				flaps: 1,
				last_error: "Socket: Connection closed",
				diagnosis: "healthy",
				explanation: "up is Established",
			},
		],
		NOW,
		{ color: false },
	);
	expect(text.split("\n").slice(3)).toEqual([
		"down: last error: Hold timer expired",
		"down: hijacked: its SYNs are redirected",
		"down: remedy: stop the proxy",
		"down: tried: restarted in BIRD",
		"",
	]);
});

it("has the node's name where a peer has told it", () => {
	const peers = [
		{ name: "a", level: "green", state: "Established", node: "waukeen", flaps: 0 },
		{ name: "b", level: "red", state: "Passive", flaps: 0 },
	] as const;
	const lines = renderPeers(peers, NOW, { color: false }).split("\n");
	expect(lines.map((line) => line.split(/ {2,}/)[4])).toEqual(["NODE", "waukeen", "-", undefined]);
});

it("has the note of a session that is of no use", () => {
	const note = "nothing-announced: the peer announces nothing";
	const peer = {
		name: "up",
		level: "green",
		state: "Established",
		flaps: 0,
		diagnosis: "healthy",
		note,
	} as const;
	const lines = renderPeers([peer], NOW, { color: false }).split("\n");
	expect(lines.slice(2)).toEqual([`up: note: ${note}`, ""]);
});

it("says so when there is none", () => {
	expect(renderPeers([], NOW, { color: true })).toBe("No BGP peer is known.\n");
});
