import { expect, test } from "vitest";
import { createServices, UBUS_SOCKETS } from "../../../src/system/openwrt/services.ts";
import { type FakeChild, FakePlatform } from "../../fakes/platform.ts";

const [socket] = UBUS_SOCKETS;
const list = '{ "tailscale": { "instances": { "instance1": { "running": true, "pid": 20 } } } }\n';

function router({ procd = true, installed = true } = {}) {
	const platform = new FakePlatform();
	const seen: string[] = [];
	const world = { procd };
	if (installed) {
		platform.program("ubus", (child) => {
			if (world.procd && child.argv.includes("call")) {
				child.out(list);
				child.end(0);
			} else if (!world.procd && !child.argv.includes("listen")) {
				child.err("Command failed: Not found\n");
				child.end(4);
			}
		});
	}
	const services = createServices(platform, {
		onChange: ({ service, change }) => seen.push(`${service} ${change}`),
		onConfigChange: (name) => seen.push(`config ${name}`),
		onProcesses: (processes) => seen.push(processes.map(({ service, pid }) => `${service} is ${pid}`).join()),
		onInfo: (text) => seen.push(text),
		onGarbage: (text) => seen.push(`garbage: ${text}`),
	});
	const running = (verb: string): FakeChild[] =>
		platform.running("ubus").filter(({ argv }) => argv.includes(verb));
	const passes = async (milliseconds: number) => {
		for (let left = milliseconds; left > 0; left -= 100) {
			platform.advance(Math.min(left, 100));
			await platform.settle();
		}
	};
	return { platform, seen, services, running, passes, world };
}

test("without a socket no process is ever started, and nothing is said", async () => {
	const { platform, seen, services, passes } = router();
	services.start();
	services.read();
	await passes(60_000);
	expect(platform.children).toEqual([]);
	expect(seen).toEqual([]);
	services.stop();
	expect(platform.pendingTimers).toBe(0);
});

test("attached, it tells what runs and what changes, and at rest starts nothing", async () => {
	const { platform, seen, services, running, passes } = router();
	platform.files.setSocket(socket);
	services.start();
	await passes(100);
	running("subscribe")[0]?.out('{ "service.stop": {"service":"x"} }\n{ "config.change": {"config":"x"} }\n');
	await passes(100);
	expect(seen).toEqual(["tailscale is 20", "x stop", "config x"]);
	const started = platform.children.length;
	await passes(60_000);
	expect(platform.children).toHaveLength(started);
	services.stop();
	expect(platform.running("ubus")).toEqual([]);
	expect(platform.pendingTimers).toBe(0);
});

test("another socket is another ubusd: both streams are replaced within 5 s", async () => {
	const { platform, seen, services, running, passes } = router();
	platform.files.setSocket(socket);
	services.start();
	await passes(1000);
	const before = [...running("subscribe"), ...running("listen")];
	platform.files.setSocket(socket);
	await passes(5000);
	expect(before.map(({ ended }) => ended)).toEqual([true, true]);
	expect([running("subscribe").length, running("listen").length]).toEqual([1, 1]);
	before[0]?.out('{ "service.stop": {"service":"old"} }\n');
	running("subscribe")[0]?.out('{ "service.start": {"service":"new"} }\n');
	await passes(100);
	expect(seen.slice(-1)).toEqual(["new start"]);
	services.stop();
});

test("a socket that goes ends both; one that comes starts them", async () => {
	const { platform, services, passes } = router();
	platform.files.setSocket(socket);
	services.start();
	await passes(1000);
	platform.files.remove(socket);
	await passes(5000);
	expect(platform.running("ubus")).toEqual([]);
	platform.files.setSocket(socket);
	await passes(5000);
	expect(platform.running("ubus")).toHaveLength(2);
	services.stop();
});

test("procd that comes to the bus again is attached to at once", async () => {
	const { platform, services, running, passes } = router();
	platform.files.setSocket(socket);
	services.start();
	await passes(1000);
	const [before] = running("subscribe");
	running("listen")[0]?.out('{ "ubus.object.add": {"id":1,"path":"network.device"} }\n');
	await passes(100);
	expect(before?.ended).toBe(false);
	running("listen")[0]?.out('{ "ubus.object.add": {"id":2,"path":"service"} }\n');
	await passes(100);
	expect(before?.ended).toBe(true);
	expect(running("subscribe")).toHaveLength(1);
	services.stop();
});

test("a bus without procd is no storm and one line; procd is noticed as it comes", async () => {
	const { platform, seen, services, running, passes, world } = router({ procd: false });
	platform.files.setSocket(socket);
	services.start();
	await passes(600_000);
	// A dozen in the first minute, then one a minute, each with a question about what runs.
	expect(platform.children.length).toBeLessThan(60);
	expect(seen).toEqual(["services cannot be followed: ubus subscribe service: Not found"]);
	world.procd = true;
	running("listen")[0]?.out('{ "ubus.object.add": {"id":2,"path":"service"} }\n');
	await passes(100);
	expect(seen.slice(1)).toEqual(["tailscale is 20"]);
	services.stop();
});

test("a socket but no ubus program: one line", async () => {
	const { platform, seen, services, passes } = router({ installed: false });
	platform.files.setSocket(socket);
	services.start();
	await passes(600_000);
	expect(seen).toEqual(["services cannot be followed: ubus: not found"]);
	expect(platform.children.length).toBeLessThan(80);
	services.stop();
});

test("readings asked for during one are one more", async () => {
	const { platform, seen, services, running, passes } = router();
	platform.files.setSocket(socket);
	services.start();
	await passes(100);
	for (let asked = 0; asked < 5; asked++) services.read();
	expect(running("call")).toHaveLength(1);
	await passes(100);
	expect(seen).toEqual(["tailscale is 20", "tailscale is 20", "tailscale is 20"]);
	services.stop();
});
