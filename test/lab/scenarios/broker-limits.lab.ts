import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { startDaemon } from "../daemon.ts";
import { type Lab, startLab } from "../lab.ts";
import { network } from "../network.ts";
import { birdDirect, startBird, startMosquitto } from "../programs.ts";
import { until } from "../wait.ts";

/** Brokers that do not take every message. */

let lab: Lab;
beforeEach(async () => {
	lab = await startLab();
});
afterEach(() => lab.stop());

const { peer } = network;
const discovery = "homeassistant/device/bgpwarden_router/config";
const small = [
	"bgpwarden/router/availability",
	"bgpwarden/router/state",
	`bgpwarden/router/peer/${peer}/availability`,
	`bgpwarden/router/peer/${peer}/state`,
];

describe.each([
	{
		what: "hangs up at a large message",
		limit: "max_packet_size 4000",
		reason:
			/the broker closes the connection at a message of \d,\d{3} bytes \(topic homeassistant\/device\/\S+\/config\); it is left out/,
	},
	{
		what: "acknowledges a large message and drops it",
		limit: "message_size_limit 4000",
		reason:
			/the broker acknowledges a message of \d,\d{3} bytes \(topic homeassistant\/device\/\S+\/config\).* and drops it/,
	},
])("a broker that $what", ({ limit, reason }) => {
	test("everything else arrives, the message is named, and a broker without the limit gets it", async () => {
		// Given a limit below the size of the router's discovery
		const limited = await startMosquitto(lab.broker, { more: [limit] });
		await startBird(lab.router, birdDirect());
		const { warden, daemon } = startDaemon(lab.router);

		// Then the status names the message, while all the others are there
		const status = await daemon.untilStatus(
			"a connection and the reason",
			({ router, mqtt }) =>
				mqtt?.connected === true && reason.test(mqtt.reason ?? "") && reason.test(router.problem ?? ""),
			{ timeout: 90_000 },
		);
		expect(status.router.problem).not.toMatch(/another router/);
		const told = await until("the small messages", () => limited.retained(), {
			holds: (topics) =>
				small.every((topic) => topics.has(topic)) && topics.get("bgpwarden/router/availability") === "online",
			timeout: 30_000,
		});
		expect(told.has(discovery)).toBe(false);
		const state = await until("the problem at the broker", () => limited.retained(), {
			holds: (topics) => reason.test(JSON.parse(topics.get("bgpwarden/router/state") ?? "{}").problem ?? ""),
		});
		expect(state.get("bgpwarden/router/availability")).toBe("online");
		const { code, stdout } = await warden.cli(["status"]);
		expect(code).toBe(1);
		expect(stdout.replace(/\s+/g, " ")).toMatch(/MQTT connected to \S+, but the broker /);
		expect(
			daemon.process.lines.filter((line) => /^(warn|error): .*(left out|drops it)/.test(line)),
		).toHaveLength(1);

		// When the limit is gone and the configuration is reloaded, it arrives and nothing is said any more
		await limited.stop();
		await daemon.untilStatus("not connected", ({ mqtt }) => mqtt?.connected === false);
		const open = await startMosquitto(lab.broker);
		await daemon.untilStatus("connected", ({ mqtt }) => mqtt?.connected === true, { timeout: 90_000 });
		daemon.reload();
		await until("the discovery", () => open.retained(), {
			holds: (topics) => topics.has(discovery),
			timeout: 30_000,
		});
		await daemon.untilStatus(
			"no problem",
			({ router, mqtt }) => router.problem === undefined && mqtt?.reason === undefined,
			{ timeout: 40_000 },
		);
	}, 300_000);
});

test("a broker that refuses the user each time is told in its own words, and no other router is", async () => {
	await startMosquitto(lab.broker, { username: "router", password: "right" });
	const { daemon } = startDaemon(lab.router, { mqtt: { username: "router", password: "wrong" } });
	const status = await daemon.untilStatus("the reason", ({ mqtt }) =>
		/refused.*password/.test(mqtt?.reason ?? ""),
	);
	expect(status.router.problem).toBeUndefined();
});
