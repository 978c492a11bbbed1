import { readFileSync } from "node:fs";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { startNamed } from "./command-line.ts";
import { Router } from "./router.ts";

const PLUGIN = "/usr/libexec/rpcd/bgpwarden";
const STATUS = "/var/run/bgpwarden/status.json";
const EVENTS = "/var/run/bgpwarden/events.jsonl";
/** rpcd loses ubus over a reply of more than 1 MB. */
const REPLY_LIMIT = 500_000;

/** jsonfilter -e '$.NAME', as far as the plugin uses it: a string without its quotes, nothing for bad JSON. */
const JSONFILTER = `const text = require("node:fs").readFileSync(0, "utf8");
let value;
try { value = JSON.parse(text)[process.argv[2].slice(2)]; } catch { process.exit(126); }
if (value === undefined) process.exit(1);
console.log(typeof value === "string" ? value : JSON.stringify(value));`;

let router: Router;
const daemon = startNamed("bgpwarden");

beforeAll(() => {
	router = new Router([PLUGIN, "/usr/lib/bgpwarden/check.sh"]);
	router.write("/tmp/jsonfilter.cjs", JSONFILTER);
	router.write(
		"/bin/jsonfilter",
		`#!/bin/sh\nexec "${process.execPath}" "${router.path("/tmp/jsonfilter.cjs")}" "$2"\n`,
		0o755,
	);
	router.write(
		"/usr/sbin/bgpwarden",
		`#!/bin/sh\necho "bgpwarden $*" >>"${router.path("/tmp/calls")}"\nprintf "$ANSWER"\nexit "\${CODE:-0}"\n`,
		0o755,
	);
});

beforeEach(() => router.write("/var/run/bgpwarden.pid", `${daemon.pid}\n`));

afterAll(() => {
	daemon.kill("SIGKILL");
	router.remove();
});

/** Calls a method as rpcd does: the arguments come without a newline. */
function call(method: string, input = "{}", env: Record<string, string> = {}) {
	const { stdout, stderr, calls, status } = router.run(`set -- call ${method}; . '${router.path(PLUGIN)}'`, {
		input,
		env,
	});
	return {
		reply: stdout === "" ? undefined : JSON.parse(stdout.replaceAll(router.root, "")),
		stderr,
		calls,
		status,
		bytes: stdout.length,
	};
}

const refused = { ok: false, text: expect.stringContaining("") };

describe("the rpcd plugin", () => {
	it("lists methods that the access rules name, each once, without a process", () => {
		const { stdout, stderr } = router.run(`PATH=/nowhere; set -- list; . '${router.path(PLUGIN)}'`);
		expect(stderr).toBe("");
		const methods = JSON.parse(stdout);
		expect(methods).toEqual({
			status: {},
			peers: {},
			events: { count: 50 },
			ensure: {},
			flush: {},
			restart: { peer: "name" },
		});
		const path = new URL(
			"../../openwrt-package/bgpwarden/files/usr/share/rpcd/acl.d/bgpwarden.json",
			import.meta.url,
		);
		const { read, write } = JSON.parse(readFileSync(path, "utf8")).bgpwarden;
		expect(read).toEqual({ ubus: { bgpwarden: ["status", "peers", "events"] } });
		expect(write).toEqual({ ubus: { bgpwarden: ["ensure", "flush", "restart"] } });
	});

	it("hands out the status and the peers as the daemon wrote them", () => {
		const status = { router: { version: "1", pid: 7 }, peers: [{ name: "waukeen" }], text: 'ü \\ "' };
		router.write(STATUS, `${JSON.stringify(status)}\n`);
		expect(call("status").reply).toEqual(status);
		expect(call("peers").reply).toEqual({ peers: status.peers });
	});

	it("hands out no state of a daemon that is gone", () => {
		router.write(STATUS, '{"peers":[]}');
		router.write("/var/run/bgpwarden.pid", "999999999\n");
		for (const method of ["status", "peers"])
			expect(call(method).reply).toEqual({
				ok: false,
				text: "the daemon is not running (/etc/init.d/bgpwarden start)",
			});
	});

	it("hands out no state that is too large, torn or missing", () => {
		router.write(STATUS, `{"peers":[${'"x",'.repeat(300_000)}"x"]}`);
		expect(call("status").reply).toEqual(refused);
		expect(call("peers").reply).toEqual(refused);
		router.write(STATUS, '{"pe');
		expect(call("peers").reply).toEqual(refused);
		router.write(STATUS, "");
		expect(call("status").reply).toEqual(refused);
	});

	it("hands out the last events, oldest first", () => {
		const lines = Array.from({ length: 500 }, (_, n) => JSON.stringify({ n, by: 'nft \\ "%s"' }));
		router.write(EVENTS, `${lines.join("\n")}\n`);
		const numbers = (input: string) => call("events", input).reply.events.map(({ n }: { n: number }) => n);
		expect(numbers("{}")).toEqual(Array.from({ length: 50 }, (_, n) => 450 + n));
		expect(numbers('{"count":2}')).toEqual([498, 499]);
		expect(numbers('{"count":"500"}')).toHaveLength(500);
		expect(call("events", '{"count":1}').reply.events[0].by).toBe('nft \\ "%s"');
	});

	it("leaves out what is no event, and the oldest of what is too much", () => {
		const long = (n: number) => JSON.stringify({ n, text: "x".repeat(5000) });
		router.write(
			EVENTS,
			`garbage\n{"n":\n${Array.from({ length: 400 }, (_, n) => long(n)).join("\n")}\n{"n":1`,
		);
		const { reply, bytes } = call("events", '{"count":500}');
		expect(bytes).toBeLessThan(REPLY_LIMIT);
		expect(reply.events.length).toBeGreaterThan(50);
		expect(reply.events.at(-1).n).toBe(399);
		router.write(EVENTS, "");
		expect(call("events").reply).toEqual({ events: [] });
	});

	it.each(["0", "501", "-1", "1e9", '"5; reboot"', "99999999999999999999", "[1]", "2.5"])(
		"refuses %s events",
		(count) => {
			expect(call("events", `{"count":${count}}`).reply).toEqual({
				ok: false,
				text: "count is not a number of events (1 to 500)",
			});
		},
	);

	it.each(["ensure", "flush"])("%s says what the daemon says", (method) => {
		expect(call(method, "{}", { ANSWER: 'the "table" \\\\ is there\\n' })).toMatchObject({
			reply: { ok: true, text: 'the "table" \\ is there' },
			calls: [`bgpwarden ${method}`],
			status: 0,
		});
		expect(call(method, "", { ANSWER: "no\\tway\\033[0m", CODE: "3" }).reply).toEqual({
			ok: false,
			text: "no way[0m",
		});
	});

	it("bounds what it passes on", () => {
		const { reply } = call("ensure", "{}", { ANSWER: "x".repeat(50_000) });
		expect(reply.text).toHaveLength(1000);
	});

	it("restarts the peer that is named", () => {
		expect(call("restart", '{"peer":"waukeen-1"}', { ANSWER: "done" })).toMatchObject({
			reply: { ok: true, text: "done" },
			calls: ["bgpwarden restart -- waukeen-1"],
		});
		expect(call("restart", '{"peer":"-h"}').calls).toEqual(["bgpwarden restart -- -h"]);
	});

	it.each([
		["nothing", ""],
		["no JSON", "peer=waukeen"],
		["half of one", '{"peer":"wauk'],
		["no peer", "{}"],
		["an empty name", '{"peer":""}'],
		["two words", '{"peer":"a b"}'],
		["a command", '{"peer":"a;reboot"}'],
		["a substitution", '{"peer":"$(reboot)"}'],
		["backticks", '{"peer":"`reboot`"}'],
		["a second line", '{"peer":"a\\nflush"}'],
		["a path", '{"peer":"../../etc/passwd"}'],
		["a pattern", '{"peer":"*"}'],
		["another alphabet", '{"peer":"wäukeen"}'],
		["a list", '{"peer":["waukeen"]}'],
		["a long name", `{"peer":"${"a".repeat(65)}"}`],
		["a very long one", `{"peer":"${"a".repeat(300_000)}"}`],
	])("refuses to restart a peer given %s, and asks nobody", (_, input) => {
		expect(call("restart", input)).toMatchObject({
			reply: { ok: false, text: "peer is not a protocol name of BIRD" },
			calls: [],
			stderr: "",
		});
	});

	it("fails on a method that it does not have", () => {
		expect(call("reboot")).toMatchObject({ reply: undefined, status: 1, calls: [] });
		expect(router.run(`set -- frobnicate; . '${router.path(PLUGIN)}'`).status).toBe(1);
	});
});
