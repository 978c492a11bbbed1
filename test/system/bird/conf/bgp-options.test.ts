import { describe, expect, test } from "vitest";
import { bgp, lastBgp } from "./parse.ts";

describe("what a BGP protocol says", () => {
	test.each([
		[
			"nothing",
			[],
			{ passive: false, gracefulRestart: "aware", bfd: "off", holdTime: 240, keepaliveTime: 80 },
		],
		[
			"nothing, as BIRD fills it in",
			["ipv4 { import all; export none; };"],
			{
				startupHoldTime: 240,
				connectDelayTime: 5,
				connectRetryTime: 120,
				errorWaitTime: { first: 60, longest: 300 },
				errorForgetTime: 300,
				disableAfterError: false,
				enforceFirstAs: false,
				ttlSecurity: false,
				strictBind: false,
				dynamicName: "dynbgp",
				password: false,
			},
		],
		[
			"all that is read of timers and switches",
			[
				"startup hold time 20; connect delay time 1; connect retry time 10; error wait time 2, 30; error forget time 9;",
				"disable after error; enforce first as on; ttl security; strict bind yes;",
				'dynamic name "node"; dynamic name digits 2;',
			],
			{
				startupHoldTime: 20,
				connectDelayTime: 1,
				connectRetryTime: 10,
				errorWaitTime: { first: 2, longest: 30 },
				errorForgetTime: 9,
				disableAfterError: true,
				enforceFirstAs: true,
				ttlSecurity: true,
				strictBind: true,
				dynamicName: "node",
			},
		],
		["the older name of a timer", ["start delay time 3;"], { connectDelayTime: 3 }],
		[
			"what only looks like an option that is read",
			[
				"disable after cease { cease }; disable rx; enable as4; hold time 30; min hold time 3; send hold time 99;",
			],
			{ disableAfterError: false, disabled: false, holdTime: 30 },
		],
		["a kind of neighbor", ["neighbor external;", "neighbor 10.0.0.1 internal;"], { neighborAs: "internal" }],
		[
			"a number before its kind",
			["neighbor internal;", "neighbor 10.0.0.1 as 7 external;"],
			{ neighborAs: 7 },
		],
		["the last word", ["passive; passive off;"], { passive: false }],
		[
			"a switch by silence",
			["passive;", "graceful restart;", "bfd;"],
			{ passive: true, gracefulRestart: "on", bfd: "on" },
		],
		["a hold time", ["hold time 15;"], { holdTime: 15, keepaliveTime: 5 }],
		["multihop without a number", ["multihop;"], { multihop: 64 }],
		["multihop, then direct", ["multihop 2; direct;"], { multihop: false }],
		["external BGP, direct by default", ["local as 1; neighbor 10.0.0.1 as 2;"], { multihop: false }],
		["internal BGP, multihop by default", ["local as 1; neighbor 10.0.0.1 as 1;"], { multihop: 64 }],
		[
			"a port",
			["local as 1 port 1179; neighbor 10.0.0.1 port 179 as 2;"],
			{ localPort: 1179, neighborAs: 2 },
		],
		[
			"an address after an AS number",
			["local as 1;", "local 10.0.0.2;"],
			{ localAs: 1, localAddress: "10.0.0.2" },
		],
		["keys", ['keys { key { id 1; secret "x"; } };'], { password: true }],
		[
			"BFD, then options of it",
			["bfd graceful;", "bfd { multiplier 3; };"],
			{ bfd: "graceful", bfdOptions: { multiplier: 3 } },
		],
		["an interface", ['interface "wg0";'], { interface: "wg0" }],
	])("%s", (_, lines, expected) => {
		expect(bgp(...lines)).toMatchObject(expected);
	});

	// nest/config.Y, init_bfd_opts: only `off` takes away what a template, or an earlier line, has said.
	test.each([
		["bfd graceful;", "bfd on;", { bfd: "graceful" }],
		["bfd graceful;", "bfd;", { bfd: "graceful" }],
		["bfd graceful;", "", { bfd: "graceful" }],
		["bfd graceful;", "bfd off;", { bfd: "off" }],
		["bfd graceful;", "bfd off; bfd on;", { bfd: "on" }],
		["bfd on;", "bfd graceful;", { bfd: "graceful" }],
		["bfd { graceful; multiplier 3; };", "bfd { interval 200 ms; };", { bfd: "graceful" }],
		["bfd { graceful; };", "bfd on;", { bfd: "graceful" }],
		["bfd off;", "bfd { multiplier 4; };", { bfd: "on", bfdOptions: { multiplier: 4 } }],
		["bfd { multiplier 4; };", "bfd no; bfd yes;", { bfd: "on", bfdOptions: undefined }],
		["bfd { multiplier 4; };", "bfd { multiplier 5; };", { bfd: "on", bfdOptions: { multiplier: 5 } }],
		["bfd graceful;", "bfd perhaps();", { bfd: undefined }],
	])("a template's '%s', then '%s'", (template, own, expected) => {
		const { bfd, bfdOptions } = lastBgp(`template bgp t { ${template} } protocol bgp x from t { ${own} }`);
		expect({ bfd, bfdOptions }).toMatchObject(expected);
	});

	test("what a template says holds until the protocol says something else, through several templates", () => {
		const text = `template bgp a { ttl security; hold time 30; multihop 3; strict bind; error wait time 1, 2; disabled;
				password "x"; neighbor as 7; dynamic name "n"; }
			template bgp b from a { hold time 60; strict bind off; }
			protocol bgp x from b { disabled no; direct; neighbor 10.0.0.1; }`;
		expect(lastBgp(text)).toMatchObject({
			ttlSecurity: true,
			holdTime: 60,
			keepaliveTime: 20,
			multihop: false,
			strictBind: false,
			errorWaitTime: { first: 1, longest: 2 },
			disabled: false,
			password: true,
			neighborAs: 7,
			neighborAddress: "10.0.0.1",
			dynamicName: "n",
		});
	});

	test("a value that could not be read is absent", () => {
		const protocol = bgp(
			"local as BASE + 1; hold time (2 * x); passive maybe; neighbor HIM as 3; graceful restart what;",
			"error wait time 3, SOON; connect retry time f(); ttl security maybe; dynamic name ITS;",
			'interface range "wg*";',
		);
		for (const key of [
			"localAs",
			"holdTime",
			"keepaliveTime",
			"passive",
			"neighborAddress",
			"gracefulRestart",
			"multihop",
			"errorWaitTime",
			"connectRetryTime",
			"ttlSecurity",
			"dynamicName",
			"interface",
		])
			expect(protocol).not.toHaveProperty(key);
		expect(protocol).toMatchObject({ neighborAs: 3, bfd: "off" });
	});

	test("no secret is kept", () => {
		expect(JSON.stringify(bgp('password "hunter2"; keys { key { secret "hunter2"; } };'))).not.toContain(
			"hunter2",
		);
	});
});
