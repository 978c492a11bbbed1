import { describe, expect, it } from "vitest";
import { headline, renderStatus } from "../../../src/cli/text/status-page.ts";
import type { PeerStatus, RouterStatus } from "../../../src/model/status.ts";

const NOW = Date.parse("2026-03-01T12:00:00Z");
const PLAIN = { color: false };

const ROUTER: RouterStatus = {
	version: "0.2.0",
	router: "openwrt",
	pid: 1234,
	started: "2026-03-01T08:47:00Z",
	protection: "installed",
	table: "custom_bgp",
	ports: [179],
	level: "green",
	repairs: 3,
	last_repair: {
		at: "2026-03-01T11:57:00Z",
		by: "nft (pid 4711), started by /bin/sh /etc/init.d/firewall stop",
		pid: 4711,
		reason: "deleted",
		milliseconds: 3.3,
	},
	flushed: 1,
	bird: { reachable: true, version: "3.1.8" },
};

const WAUKEEN: PeerStatus = {
	name: "waukeen",
	level: "green",
	neighbor_address: "192.168.1.2",
	neighbor_as: 65009,
	local_as: 65001,
	state: "Established",
	since: "2026-03-01T09:55:00Z",
	bfd: "up",
	imported: 3,
	exported: 1,
	preferred: 2,
	flaps: 0,
};

const TYMORA: PeerStatus = { ...WAUKEEN, name: "tymora", neighbor_address: "192.168.1.3" };

function withoutRepair(): RouterStatus {
	const { last_repair: _, ...router } = ROUTER;
	return router;
}

describe("renderStatus", () => {
	it.each([
		["installed", "in place and released (anybody can change it; bgpwarden ensure protects it again)"],
		["missing", "MISSING and released (bgpwarden ensure puts it back)"],
	] as const)("says that the table was released: %s", (protection, said) => {
		const page = renderStatus({ router: { ...ROUTER, protection, released: true }, peers: [] }, NOW, PLAIN);
		expect(page).toContain(`inet custom_bgp, ${said}\n`);
		expect(page).not.toContain("changes by others are repaired");
	});

	it("says what the broker does not get, though it is connected", () => {
		const mqtt = {
			broker: "b:1883",
			connected: true,
			reason: "the broker closes the connection at a message",
		};
		const problem = { ...ROUTER, problem: "MQTT: b:1883: x", problem_kind: "mqtt_message" as const };
		const status = { router: problem, mqtt, peers: [WAUKEEN] };
		expect(renderStatus(status, NOW, PLAIN)).toContain(
			"MQTT       connected to b:1883, but the broker closes the connection at a message\n",
		);
		const colored = renderStatus(status, NOW, { color: true });
		expect(colored).toContain("\u001b[33mconnected to b:1883, but");
		// Worth changing, and nothing is broken.
		expect(colored.startsWith("\u001b[33mThe peer waukeen is Established")).toBe(true);
		expect(headline(status).fine).toBe(true);
	});

	it("begins with a sentence, then details, then the peers", () => {
		expect(renderStatus({ router: ROUTER, peers: [TYMORA, WAUKEEN] }, NOW, PLAIN)).toBe(
			`All 2 peers are Established; the table is in place.

Router     openwrt
Daemon     bgpwarden 0.2.0, pid 1234, up for 3 h 13 min
Table      inet custom_bgp, in place (changes by others are repaired)
Repairs    3, the last one 3 min ago (2026-03-01 11:57:00Z)
           deleted by nft (pid 4711), started by /bin/sh /etc/init.d/firewall stop
           back after 3.3 ms
Conntrack  1 stale entry deleted
BIRD       answers (version 3.1.8)

PEER     STATE        FOR        NEIGHBOR        AS  BFD  IMPORTED  EXPORTED  PREFERRED  FLAPS
tymora   Established  2 h 5 min  192.168.1.3  65009  up          3         1          2      0
waukeen  Established  2 h 5 min  192.168.1.2  65009  up          3         1          2      0
`,
		);
	});

	it("adds pid and service to a bare process name", () => {
		const last_repair = {
			at: "2026-03-01T11:59:59Z",
			by: "nft",
			described: "nft (pid 4711)",
			pid: 4711,
			service: "firewall",
			reason: "changed",
			milliseconds: 2,
		} as const;
		const text = renderStatus({ router: { ...ROUTER, last_repair }, peers: [] }, NOW, PLAIN);
		expect(text).toContain("Repairs    3, the last one 1 s ago (2026-03-01 11:59:59Z)\n");
		expect(text).toContain("           changed by nft (pid 4711), service firewall\n");
	});

	it("says so when nothing is known of who did it, and when the clock was another one", () => {
		const last_repair = { at: "2026-03-02T11:59:59Z", reason: "deleted", milliseconds: 2 } as const;
		const text = renderStatus({ router: { ...ROUTER, last_repair }, peers: [] }, NOW, PLAIN);
		expect(text).toContain("Repairs    3, the last one at 2026-03-02 11:59:59Z\n");
		expect(text).toContain("deleted by an unknown program\n");
	});

	it("shows problem and diagnosis first", () => {
		const router = {
			...withoutRepair(),
			repairs: 0,
			problem: "nft -f -: syntax error",
			explanation: "somebody is fighting",
		};
		const text = renderStatus({ router, peers: [WAUKEEN] }, NOW, PLAIN);
		expect(text.split("\n").slice(0, 4)).toEqual([
			"The peer waukeen is Established; the table is in place.",
			"",
			"Problem    nft -f -: syntax error",
			"Diagnosis  somebody is fighting",
		]);
		expect(text).toContain("Repairs    none needed so far\n");
	});

	it("is safe for a terminal whatever BIRD, nft or the other side wrote", () => {
		const evil = "\u001b]0;x\u0007\u009b31m\n\u202e";
		const text = renderStatus(
			{
				router: {
					...ROUTER,
					router: evil,
					version: evil,
					table: evil,
					problem: evil,
					explanation: evil,
					bird: { reachable: true, version: evil },
					last_repair: { at: evil, by: evil, service: evil, reason: evil as "changed", milliseconds: 1 },
				},
				peers: [
					{
						name: evil,
						level: "red",
						state: evil,
						since: evil,
						neighbor_address: evil,
						flaps: 0,
						last_error: evil,
						explanation: evil,
						remedy: evil,
					},
				],
			},
			NOW,
			PLAIN,
		);
		// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
		expect(text).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/);
		expect(text.split("\n")).toHaveLength(
			renderStatus(
				{
					router: { ...ROUTER, problem: "x", explanation: "x" },
					peers: [{ name: "x", level: "red", flaps: 0, last_error: "x", explanation: "x", remedy: "x" }],
				},
				NOW,
				PLAIN,
			).split("\n").length,
		);
	});

	it("uses colours only when told, and they change nothing else", () => {
		const status = {
			router: ROUTER,
			peers: [WAUKEEN, { ...TYMORA, state: "Active", bfd: "down" as const, flaps: 2 }],
		};
		const colored = renderStatus(status, NOW, { color: true });
		expect(colored.startsWith("\u001b[31m1 of 2 peers is not Established (tymora: Active)")).toBe(true);
		expect(colored).toContain("\u001b[32mEstablished\u001b[0m");
		// biome-ignore lint/suspicious/noControlCharactersInRegex: the colours
		expect(colored.replace(/\x1b\[\d+m/g, "")).toBe(renderStatus(status, NOW, PLAIN));
	});
});

describe("headline", () => {
	const down = (name: string, state?: string): PeerStatus => ({
		name,
		level: "red",
		flaps: 0,
		...(state ? { state } : {}),
	});

	it.each([
		[[], "BIRD has no BGP peer; the table is in place.", false],
		[[WAUKEEN], "The peer waukeen is Established; the table is in place.", true],
		[[TYMORA, WAUKEEN], "All 2 peers are Established; the table is in place.", true],
		[[down("a", "Active")], "The peer is not Established (a: Active); the table is in place.", false],
		[[down("a"), WAUKEEN], "1 of 2 peers is not Established (a: unknown); the table is in place.", false],
		[
			["a", "b", "c", "d", "e", "f", "g"].map((name) => down(name, "Idle")),
			"7 of 7 peers are not Established (a: Idle, b: Idle, c: Idle, d: Idle, e: Idle, and 2 more); the table is in place.",
			false,
		],
	])("of peers %#", (peers, text, fine) => {
		expect(headline({ router: ROUTER, peers })).toEqual({ text, fine });
	});

	it.each([
		[{ protection: "missing" as const }, "All 2 peers are Established; the table is MISSING."],
		[
			{ bird: { reachable: false } },
			"BIRD does not answer (last known: 2 of 2 peers Established); the table is in place.",
		],
		[{ problem: "anything" }, "All 2 peers are Established; the table is in place."],
	])("with %j is not fine", (change, text) => {
		expect(headline({ router: { ...ROUTER, ...change }, peers: [TYMORA, WAUKEEN] })).toEqual({
			text,
			fine: false,
		});
	});
});
