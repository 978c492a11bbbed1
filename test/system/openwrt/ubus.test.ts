import { expect, test } from "vitest";
import { createUbus } from "../../../src/system/openwrt/ubus.ts";
import { FakePlatform, type Script } from "../../fakes/platform.ts";

function bus(script?: Script) {
	const platform = new FakePlatform();
	if (script) platform.program("ubus", script);
	return { platform, ubus: createUbus(platform) };
}

function fails(complaint: string, code: number): Script {
	return (child) => {
		child.err(`${complaint}\n`);
		child.end(code);
	};
}

test("a call, with a message", async () => {
	const { platform, ubus } = bus((child) => {
		child.out('{\n\t"code": 0\n}\n');
		child.end(0);
	});
	const reply = ubus.call("file", "exec", { command: "a b; 'c'" });
	await platform.settle();
	expect(await reply).toEqual({ ok: true, value: { code: 0 } });
	expect(platform.children[0]?.argv).toEqual([
		"ubus",
		"-t",
		"5",
		"call",
		"file",
		"exec",
		`{"command":"a b; 'c'"}`,
	]);
	expect(platform.pendingTimers).toBe(0);
});

test.each([
	[fails("Command failed: Not found", 4), "ubus call x y: Not found"],
	[
		fails('Command failed: ubus call x y {"a":"(b)"} (Invalid argument)', 254),
		"ubus call x y: Invalid argument",
	],
	[fails("Failed to connect to ubus", 255), "ubus call x y: Failed to connect to ubus"],
	[(child) => child.end({ signal: 9 }), "ubus call x y: ended by signal 9"],
	[undefined, "ubus: not found"],
	[
		(child) => {
			child.out("what?\u001b\n");
			child.end(0);
		},
		'ubus call x y: not an answer: "what??"',
	],
] as [Script | undefined, string][])("a failure is one line (%#)", async (script, reason) => {
	const { platform, ubus } = bus(script);
	const reply = ubus.call("x", "y");
	await platform.settle();
	expect(await reply).toEqual({ ok: false, reason });
});

test("a bus that does not answer at all", async () => {
	const { platform, ubus } = bus(() => {});
	const reply = ubus.call("x", "y");
	await platform.settle();
	platform.advance(5999);
	expect(platform.running("ubus")).toHaveLength(1);
	platform.advance(1);
	await platform.settle();
	expect(await reply).toEqual({ ok: false, reason: "ubus call x y: no answer in 5 s" });
	expect(platform.running("ubus")).toHaveLength(0);
});

test("a stream: events, one complaint about garbage, an end, and another run", async () => {
	const seen: string[] = [];
	const { platform, ubus } = bus((child) => {
		child.out('{ "a.b": {"x":1} }\nrubbish\nmore rub');
		child.out(`bish\n{ "c": {} }\n${"y".repeat(70_000)}\n`);
		if (platform.children.length === 1) {
			child.err("Error while registering for event 'network': Not found\n");
			child.end(255);
		}
	});
	const stream = ubus.subscribe(["network"], {
		onEvent: ({ name, data }) => seen.push(`${name} ${JSON.stringify(data)}`),
		onEnd: ({ reason }) => seen.push(reason),
		onGarbage: (text) => seen.push(text),
	});
	stream.start();
	await platform.settle();
	const run = ['a.b {"x":1}', '"rubbish"', "c {}"];
	const end = "ubus subscribe network: Not found";
	expect(seen).toEqual([...run, end]);
	platform.advance(100);
	await platform.settle();
	expect(seen).toEqual([...run, end, ...run]);
	stream.stop();
	expect(platform.running("ubus")).toHaveLength(0);
	expect(platform.pendingTimers).toBe(0);
});

test("where there is no ubus it is tried again, in the end once a minute", async () => {
	const ends: string[] = [];
	const { platform, ubus } = bus();
	ubus.listen(["*"], { onEvent: () => {}, onEnd: ({ reason }) => ends.push(reason) }).start();
	const pass = async (seconds: number) => {
		for (let second = 0; second < seconds; second++) {
			await platform.settle();
			platform.advance(1000);
		}
		await platform.settle();
	};
	await pass(60);
	expect(new Set(ends)).toEqual(new Set(["ubus: not found"]));
	expect(ends.length).toBeGreaterThan(10);
	await pass(60);
	const { length } = platform.children;
	await pass(3600);
	expect(platform.children.length - length).toBeLessThanOrEqual(60);
});
