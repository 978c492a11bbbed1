import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { ServiceEvent } from "../../../src/model/service.ts";
import { parseServiceEvent } from "../../../src/system/openwrt/service-events.ts";
import { parseEvent } from "../../../src/system/openwrt/service-messages.ts";
import type { Action } from "../../../src/warden/actions.ts";
import { statusOf } from "../../../src/warden/status.ts";
import { nft, Story, types } from "../story.ts";

const identity = { version: "1", router: "r", pid: 1 };

function service(name: string, change: ServiceEvent["change"], exitCode?: number) {
	return {
		type: "service",
		service: name,
		instance: "instance1",
		change,
		...(exitCode === undefined ? {} : { exitCode }),
	} as const;
}

function told(actions: readonly Action[]) {
	const details: unknown[] = [];
	for (const action of actions)
		if (action.type === "report" && action.event === "service_restarted") details.push(action.details);
	return details;
}

/** A router whose BIRD answers, with nothing under way. */
function atRest(): Story {
	const story = Story.kept();
	story.happens({ type: "bird_up" });
	story.passes(20_000);
	return story;
}

test("a change leads to looks at the table about 1 s and 4 s later, and to a reading", () => {
	const story = atRest();
	expect(types(story.happens(service("tailscale", "stop"), service("tailscale", "start")))).toEqual([]);
	expect(types(story.passes(350))).toEqual([]);
	expect(types(story.passes(700)).sort()).toEqual([
		"list",
		"read_bird",
		"read_services",
		"service_restarted",
	]);
	story.happens({ type: "listed", text: "whole" });
	expect(types(story.passes(2900))).toEqual([]);
	expect(types(story.passes(100))).toEqual(["read_services", "list"]);
	story.happens({ type: "listed", text: "whole" });
	expect(types(story.passes(10_000)).filter((type) => type !== "read_bird")).toEqual([]);
});

test("many changes in a row cost a reading a second; a restart of BIRD is looked at more closely", () => {
	const story = atRest();
	const seen: string[] = [];
	for (let count = 0; count < 10; count++) {
		story.happens(service("mihomo", "stop"), service("mihomo", "start"));
		seen.push(...types(story.passes(200)));
	}
	expect(seen.filter((type) => type === "read_bird").length).toBeLessThanOrEqual(2);

	const other = atRest();
	other.happens(service("bird", "stop"), service("bird", "start"));
	expect(types(other.passes(350))).toEqual(["read_bird", "read_bird"]);
});

test("looks of many changes are one a second, and one after the last", () => {
	const story = atRest();
	const lists: number[] = [];
	for (let change = 0; change < 50; change++) {
		story.happens(service("mihomo", change % 2 === 0 ? "stop" : "start"));
		for (const type of types(story.passes(100))) if (type === "list") lists.push(story.time);
		story.happens({ type: "listed", text: "whole" });
	}
	expect(lists).toHaveLength(5);
	expect(types(story.passes(20_000)).filter((type) => type === "list")).toHaveLength(1);
});

test("a table that a service changed unseen is found and put back", () => {
	const story = atRest();
	story.happens(service("mihomo", "start"));
	story.passes(1000);
	expect(types(story.happens({ type: "listed", text: undefined }))).toEqual(["table_lost", "install"]);
	story.happens({ type: "own_transaction" });
	expect(statusOf(story.state, identity).router.last_repair).toMatchObject({ service: "mihomo" });
});

test("services that have nothing to do with the ruleset are left alone", () => {
	const story = atRest();
	expect(types(story.happens(service("dnsmasq", "stop"), service("dnsmasq", "start")))).toEqual([]);
	expect(types(story.passes(10_000)).filter((type) => type !== "read_bird")).toEqual([]);
});

describe("one event for each restart", () => {
	test("of everything that a real procd did", () => {
		const url = new URL("../../fixtures/ubus/ubus-2025-12-02-subscribe.txt", import.meta.url);
		const story = atRest();
		const actions: Action[] = [];
		let last = "";
		for (const line of readFileSync(url, "utf8").split("\n")) {
			const event = parseEvent(line);
			const change = event && parseServiceEvent(event);
			if (!change) continue;
			if (change.service !== last) actions.push(...story.passes(8000));
			last = change.service;
			actions.push(...story.happens({ type: "service", ...change }), ...story.passes(10));
		}
		actions.push(...story.passes(8000));
		expect(told(actions)).toEqual([
			{ service: "tailscale", change: "respawned", exit_code: 137 },
			{ service: "mihomo", change: "restarted" },
			{ service: "firewall", change: "restarted" },
			{ service: "nikki", change: "failed", exit_code: 3, respawns: 2 },
			{ service: "homeproxy", change: "failed", exit_code: 127 },
		]);
	});

	test("start, stop, and a stop with a start some seconds later", () => {
		const story = atRest();
		story.happens(service("mihomo", "start"));
		expect(told(story.passes(1000))).toEqual([{ service: "mihomo", change: "started" }]);
		story.passes(60_000);
		story.happens(service("mihomo", "stop"));
		expect(told(story.passes(5900))).toEqual([]);
		expect(told(story.passes(100))).toEqual([{ service: "mihomo", change: "stopped" }]);
		story.passes(60_000);
		story.happens(service("mihomo", "stop"));
		story.passes(5000);
		story.happens(service("mihomo", "start"));
		expect(told(story.passes(8000))).toEqual([{ service: "mihomo", change: "restarted" }]);
	});

	test("an instance that is slow to stop is no second restart", () => {
		const story = atRest();
		story.happens(service("mihomo", "stop"), service("mihomo", "start"));
		const first = story.passes(2000);
		story.happens(service("mihomo", "stop"), service("mihomo", "start"));
		expect(told([...first, ...story.passes(8000)])).toEqual([{ service: "mihomo", change: "restarted" }]);
	});

	test("a respawn and the start that it announced", () => {
		const story = atRest();
		story.happens(service("nikki", "stop"), service("nikki", "respawn", 139));
		const first = story.passes(5000);
		story.happens(service("nikki", "start"));
		expect(told([...first, ...story.passes(8000)])).toEqual([
			{ service: "nikki", change: "respawned", exit_code: 139 },
		]);
	});

	test("a service that dies for ever is told once a minute", () => {
		const story = atRest();
		const actions: Action[] = [];
		for (let crash = 0; crash < 60; crash++) {
			story.happens(service("nikki", "stop"), service("nikki", "respawn", 1));
			actions.push(...story.passes(3000));
			story.happens(service("nikki", "start"));
			actions.push(...story.passes(2000));
		}
		expect(told(actions).length).toBeGreaterThanOrEqual(4);
		expect(told(actions).length).toBeLessThanOrEqual(6);
		expect(told(actions).at(-1)).toMatchObject({ change: "respawned", exit_code: 1 });
	});
});

describe("who did it", () => {
	const deleted = { type: "table_touched", touch: "deleted", actor: nft } as const;

	test("a service's process is named with the loss, the repair and in the status", () => {
		const story = atRest();
		story.happens({ type: "services_read", processes: [{ service: "mihomo", instance: "m", pid: nft.pid }] });
		const [lost] = story.happens(deleted);
		expect(lost).toMatchObject({ event: "table_lost", details: { by: "nft", service: "mihomo" } });
		const [restored] = story.happens({ type: "own_transaction" });
		expect(restored).toMatchObject({ event: "table_restored", details: { service: "mihomo" } });
		expect(statusOf(story.state, identity).router.last_repair).toMatchObject({ service: "mihomo" });
	});

	test("a process that has stopped does not lend its id to another", () => {
		const story = atRest();
		story.happens({
			type: "services_read",
			processes: [{ service: "mihomo", instance: "instance1", pid: nft.pid }],
		});
		story.happens(service("mihomo", "stop"));
		story.passes(20_000);
		story.happens(deleted, { type: "own_transaction" });
		expect(statusOf(story.state, identity).router.last_repair).not.toHaveProperty("service");
	});

	test("procd tells a stop only after the init script's work: the repair is then known already", () => {
		const story = atRest();
		story.happens(deleted, { type: "own_transaction" });
		expect(statusOf(story.state, identity).router.last_repair).not.toHaveProperty("service");
		story.time += 1000;
		story.happens(service("firewall", "stop"));
		expect(statusOf(story.state, identity).router.last_repair).toMatchObject({ service: "firewall" });
	});

	test("what changes later has nothing to do with it", () => {
		const story = atRest();
		story.happens(deleted, { type: "own_transaction" });
		story.time += 2001;
		story.happens(service("firewall", "stop"));
		expect(statusOf(story.state, identity).router.last_repair).not.toHaveProperty("service");
	});
});
