import { expect, test } from "vitest";
import { createMonitor, type MonitorOptions } from "../../../src/system/nft/monitor.ts";
import { FakePlatform } from "../../fakes/platform.ts";

function watch(platform = new FakePlatform()) {
	const seen: string[] = [];
	const options: MonitorOptions = {
		table: "custom_bgp",
		isOwn: (pid) => pid === 10,
		mark: () => "0123abcd",
		onStart: () => seen.push("start"),
		onEnd: (reason, paused) => seen.push(`end: ${reason}${paused ? ", paused" : ""}`),
		onForeign: ({ touch, actor }) => seen.push(`${touch} by ${actor.process} ${actor.pid}`),
		onOwn: () => seen.push("own"),
		onOthers: ({ tables, actor, firewall }) =>
			seen.push(`${tables.join(", ")} by ${actor.process} ${actor.pid}${firewall ? `: ${firewall}` : ""}`),
		onPacket: () => seen.push("packet"),
		onTraces: (traces) => seen.push(`${traces.length} traced`),
		onGap: () => seen.push("gap"),
		onGarbage: (text) => seen.push(`garbage: ${text}`),
	};
	return { platform, seen, monitor: createMonitor(platform, options) };
}

test("packets of an established session, traced by a person, are nobody's handshake", async () => {
	const { platform, seen, monitor } = watch();
	const packet = (id: string, ports: string) =>
		`trace id ${id} inet t arriving packet: iif "br-lan" ip saddr 192.0.2.2 ip daddr 192.0.2.1 ${ports}\n`;
	platform.program("nft", (child) => {
		child.out(packet("1", "tcp sport 40000 tcp dport 179 tcp flags == 0x18 tcp window 500"));
		child.out("trace id 1 inet fw4 input policy accept\n");
		child.out(packet("2", "udp sport 49152 udp dport 3784"));
		child.out(packet("3", "tcp sport 40000 tcp dport 179 tcp flags == fin,ack tcp window 500"));
	});
	monitor.start();
	await platform.settle();
	platform.advance(1000);
	expect(seen.filter((what) => what !== "start")).toEqual(["packet", "1 traced"]);
	monitor.stop();
});

test("our own transactions, others' on our table, others' elsewhere", async () => {
	const { platform, seen, monitor } = watch();
	platform.program("nft", (child) => {
		child.out("add table inet custom_bgp\n# new generation 2 by process 10 (nft)\n");
		child.out("delete table inet custom_bgp\n# new gener");
		child.out("ation 3 by process 11 (nft)\nadd table inet x\n# new generation 4 by process 12 (nft)\n");
		child.out("delete table inet fw4\n# new generation 5 by process 12 (nft)\n");
	});
	monitor.start();
	await platform.settle();
	expect(seen).toEqual([
		"start",
		"own",
		"deleted by nft 11",
		"inet x by nft 12",
		"inet fw4 by nft 12: missing",
	]);
});

test("a monitor that ends comes back, and begins with a clean slate", async () => {
	const { platform, seen, monitor } = watch();
	let run = 0;
	platform.program("nft", (child) => {
		run++;
		if (run === 1) {
			child.out("delete table inet custom_bgp\n");
			child.end(1);
		} else child.out("# new generation 4 by process 12 (nft)\n");
	});
	monitor.start();
	await platform.settle();
	platform.advance(1000);
	await platform.settle();
	expect(seen).toEqual(["start", "end: nft monitor: exit 1", "start"]);
	monitor.stop();
});

test("in a container, where the ids are others, the mark tells our own; elsewhere it does not count", () => {
	const { platform, seen, monitor } = watch();
	const marked = 'add rule inet custom_bgp raw_pre return comment "bgpwarden: x (run 0123abcd)"\n';
	platform.program("nft", (child) => {
		child.out(`${marked}# new generation 2 by process 77 (nft)\n`);
		child.out("add table inet custom_bgp\n# new generation 3 by process 10 (nft)\n");
		child.out(`${marked}# new generation 4 by process 78 (nft)\n`);
	});
	monitor.start();
	platform.advance(0);
	expect(seen).toEqual(["start", "own", "own", "changed by nft 78"]);
	expect(monitor.knowsProcesses).toBe(true);
});

test("in a known container a number means nobody: not the daemon's own nft, and no culprit's", async () => {
	const platform = new FakePlatform();
	platform.files.setLink("/proc/self/ns/pid", "pid:[4026532301]");
	platform.files.set("/proc/77/stat", "77 (nft) S 1 1 1 0 -1 4194560 0");
	platform.files.set("/proc/77/cmdline", "nft\0-f\0/etc/innocent.nft\0");
	const { seen, monitor } = watch(platform);
	platform.program("nft", (child) => {
		child.out("delete table inet custom_bgp\n# new generation 2 by process 10 (nft)\n");
		child.out("delete table inet custom_bgp\n# new generation 3 by process 77 (nft)\n");
	});
	monitor.start();
	await platform.settle();
	expect(seen).toEqual(["start", "deleted by nft undefined", "deleted by nft undefined"]);
	expect(monitor.knowsProcesses).toBe(false);
	monitor.stop();
});

test("where somebody traces more than can be followed, there is none for a minute", async () => {
	const { platform, seen, monitor } = watch();
	platform.program("nft", () => {});
	monitor.start();
	await platform.settle();
	const line = "trace id 1 inet t c rule counter (verdict continue)\n";
	const trace = (lines: number) => platform.running("nft")[0]?.out(line.repeat(lines));
	const ended = () => seen.filter((what) => what.startsWith("end: "));
	// A thousand lines a second are nothing.
	for (let second = 0; second < 20; second++) {
		trace(1000);
		await platform.settle();
		platform.advance(1000);
	}
	expect(ended()).toEqual([]);
	for (let second = 0; second < 2; second++) {
		trace(6000);
		await platform.settle();
		platform.advance(1000);
	}
	expect(ended()).toEqual(["end: somebody traces too many packets to be followed, paused"]);
	platform.advance(57_000);
	await platform.settle();
	expect(platform.running("nft")).toEqual([]);
	platform.advance(2000);
	await platform.settle();
	expect(platform.running("nft")).toHaveLength(1);
	monitor.stop();
});
