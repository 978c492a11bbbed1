import { expect, test } from "vitest";
import {
	commandLine,
	findActor,
	hasOtherIds,
	parseStat,
	threadGroup,
} from "../../../src/system/kernel/actor.ts";
import { FakePlatform } from "../../fakes/platform.ts";

test("name and parent, whatever the name holds", () => {
	expect(parseStat("4711 (nft) S 4700 4711 1 0")).toEqual({ name: "nft", parent: 4700 });
	expect(parseStat("4711 (a) (b c)) R 1 2 3")).toEqual({ name: "a) (b c)", parent: 1 });
	expect(parseStat("")).toBeUndefined();
	expect(parseStat("garbage")).toBeUndefined();
});

test("words of a command line in one printable line", () => {
	expect(commandLine("nft\0flush\0ruleset\0")).toBe("nft flush ruleset");
	expect(commandLine("sh\0-c\0nft flush\nruleset\u001b[31m\0")).toBe("sh -c nft flush ruleset [31m");
	expect(commandLine("")).toBeUndefined();
	expect(commandLine(`x${"y".repeat(1000)}`)).toHaveLength(120);
});

test("an actor is known with its parent while both still run", () => {
	const { files } = new FakePlatform();
	files.set("/proc/4711/stat", "4711 (nft) S 4700 0");
	files.set("/proc/4711/cmdline", "nft\0flush\0ruleset\0");
	files.set("/proc/4700/stat", "4700 (firewall) S 4600 0");
	files.set("/proc/4700/cmdline", "/bin/sh\0/etc/rc.common\0/etc/init.d/firewall\0stop\0");
	files.set("/proc/4600/stat", "4600 (procd) S 1 0");
	expect(findActor(files, 4711, "nft")).toEqual({
		process: "nft",
		pid: 4711,
		command: "nft flush ruleset",
		parent: "/bin/sh /etc/rc.common /etc/init.d/firewall stop",
		ancestors: [
			{ pid: 4700, command: "/bin/sh /etc/rc.common /etc/init.d/firewall stop" },
			{ pid: 4600, command: "procd" },
		],
	});
});

test("a parent that calls itself nothing, and has no command line, is not named", () => {
	const { files } = new FakePlatform();
	files.set("/proc/4711/stat", "4711 (nft) S 4700 0");
	files.set("/proc/4700/stat", "4700 () S 1 0");
	expect(findActor(files, 4711, "nft")).toEqual({ process: "nft", pid: 4711 });
});

test("a thread stands for its process", () => {
	const { files } = new FakePlatform();
	files.set("/proc/22771/stat", "22771 (mihomo) S 1 0");
	files.set("/proc/22771/status", "Name:\tmihomo\nTgid:\t22768\nNgid:\t0\nPid:\t22771\nPPid:\t1\n");
	files.set("/proc/22771/cmdline", "/usr/bin/mihomo\0-d\0/etc/mihomo\0");
	expect(findActor(files, 22771, "mihomo")).toMatchObject({
		pid: 22768,
		command: "/usr/bin/mihomo -d /etc/mihomo",
	});
	expect(threadGroup("")).toBeUndefined();
});

test("a process that is gone, or another one by now, leaves its name and id", () => {
	const { files } = new FakePlatform();
	expect(findActor(files, 4711, "nft")).toEqual({ process: "nft", pid: 4711 });
	files.set("/proc/4711/stat", "4711 (vi) S 4700 0");
	files.set("/proc/4711/cmdline", "vi\0");
	expect(findActor(files, 4711, "nft")).toEqual({ process: "nft", pid: 4711 });
});

test("process ids are others in a container", () => {
	const { files } = new FakePlatform();
	expect(hasOtherIds(files)).toBe(false);
	files.setLink("/proc/self/ns/pid", "pid:[4026531836]");
	expect(hasOtherIds(files)).toBe(false);
	files.setLink("/proc/self/ns/pid", "pid:[4026532301]");
	expect(hasOtherIds(files)).toBe(true);
});
