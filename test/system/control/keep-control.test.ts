import { beforeEach, expect, test } from "vitest";
import type { Command } from "../../../src/model/command.ts";
import { type ControlKeeper, keepControl } from "../../../src/system/control/keep-control.ts";
import { FakePlatform } from "../../fakes/platform.ts";

const RUN = "/var/run/bgpwarden";
const FIFO = `${RUN}/control`;

let platform: FakePlatform;
let commands: Command[];
let problems: (string | undefined)[];
let warnings: string[];
let control: ControlKeeper;

beforeEach(async () => {
	platform = new FakePlatform();
	platform.program("mkfifo", (child) => {
		platform.files.set(child.argv.at(-1) ?? "", "", "fifo");
		child.end(0);
	});
	[commands, problems, warnings] = [[], [], []];
	control = keepControl(platform, {
		directory: RUN,
		onCommand: (command) => commands.push(command),
		onProblem: (text) => problems.push(text),
		onWarning: (text) => warnings.push(text),
	});
	control.start();
	await platform.settle();
});

const write = async (text: string) => {
	platform.writeFifo(FIFO, text);
	await platform.settle();
};

test("requests are heard, and replies written for root alone", async () => {
	await write("ensure #1-2\n");
	expect(commands).toEqual([{ verb: "ensure", id: "1-2" }]);
	control.reply("1-2", { ok: true, text: "done" });
	expect(JSON.parse(platform.files.read(`${RUN}/replies/1-2`))).toEqual({ ok: true, text: "done" });
	expect(problems).toEqual([undefined]);
});

test("a megabyte of garbage is one line, and the next request is heard", async () => {
	for (let count = 0; count < 1000; count++) await write(`garbage ${"x".repeat(500)} ${count}\n`.repeat(2));
	expect(warnings).toHaveLength(1);
	platform.advance(60_000);
	// Without an end: a request of the command line begins with one.
	await write("half of a line");
	await write("\nflush #7\n");
	expect(commands).toEqual([{ verb: "flush", id: "7" }]);
	expect(warnings).toHaveLength(2);
});

test.each([
	["removed", () => platform.files.remove(FIFO)],
	["replaced by another", () => platform.files.set(FIFO, "", "fifo")],
	["replaced by a file", () => platform.files.set(FIFO, "x")],
])("a FIFO that was %s is made again, with one warning", async (_, spoil) => {
	control.check();
	expect(warnings).toEqual([]);
	spoil();
	control.check();
	await platform.settle();
	expect(warnings).toEqual([`${RUN}: the control FIFO was removed or replaced; making it again`]);
	await write("ensure\n");
	expect(commands).toEqual([{ verb: "ensure" }]);
	control.check();
	expect(warnings).toHaveLength(1);
});

test("what a script has written while there was no FIFO is heard", async () => {
	platform.files.set(FIFO, "ensure #1\nflush #2\nhalf of a");
	control.check();
	await platform.settle();
	platform.advance(500);
	await write("\nflush #3\n");
	expect(commands).toEqual([
		{ verb: "ensure", id: "1" },
		{ verb: "flush", id: "2" },
		{ verb: "flush", id: "3" },
	]);
	platform.files.set(FIFO, "ensure\n".repeat(1000));
	control.check();
	await platform.settle();
	platform.advance(500);
	expect(commands).toHaveLength(3);
	expect(platform.files.list(RUN)).toEqual(["control", "replies"]);
});

test.each([
	["before its name was taken from it", () => platform.files.append(FIFO, "flush #1\n")],
	["while the FIFO was made", () => platform.files.append(FIFO, "flush #1\n"), true],
	["after the FIFO was made", () => platform.files.append(`${FIFO}.misplaced`, "flush #1\n"), false, true],
])("a script that writes %s is heard", async (_, append, whileMade = false, after = false) => {
	platform.files.set(FIFO, "");
	platform.program("mkfifo", (child) => {
		if (whileMade) append();
		platform.files.set(child.argv.at(-1) ?? "", "", "fifo");
		child.end(0);
	});
	if (!whileMade && !after) append();
	control.check();
	await platform.settle();
	if (after) append();
	platform.advance(500);
	expect(commands).toEqual([{ verb: "flush", id: "1" }]);
});

test("a reply that was given just before is not lost with the FIFO", async () => {
	control.reply("1", { ok: true, text: "done" });
	platform.files.remove(FIFO);
	control.check();
	await platform.settle();
	expect(platform.files.list(`${RUN}/replies`)).toEqual(["1"]);
});

test("a reply that cannot be written is one line", () => {
	platform.files.fail(`${RUN}/replies/9`, "No space left on device");
	control.reply("9", { ok: true, text: "done" });
	expect(warnings).toEqual([expect.stringMatching(/^cannot reply to a request: .*No space left on device$/)]);
});

test("replies that nobody reads are few", () => {
	for (let id = 0; id < 5000; id++) control.reply(String(id), { ok: true, text: "done" });
	expect(platform.files.list(`${RUN}/replies`).length).toBeLessThanOrEqual(256);
	platform.advance(120_000);
	control.reply("last", { ok: true, text: "done" });
	expect(platform.files.list(`${RUN}/replies`)).toEqual(["last"]);
});

test("a link in place of the replies is not followed", async () => {
	platform.files.setLink(`${RUN}/replies`, "/etc");
	control.reply("passwd", { ok: true, text: "done" });
	expect(platform.files.readLink(`${RUN}/replies`)).toBeUndefined();
});

test("while the directory cannot be written it is a problem, and tried again", async () => {
	platform.files.remove(FIFO);
	platform.program("mkfifo", (child) => {
		child.err("mkfifo: Read-only file system\n");
		child.end(1);
	});
	control.check();
	await platform.settle();
	expect(problems.at(-1)).toBe(`cannot receive requests: mkfifo: ${FIFO}: mkfifo: Read-only file system`);
	platform.program("mkfifo", (child) => {
		platform.files.set(child.argv.at(-1) ?? "", "", "fifo");
		child.end(0);
	});
	platform.advance(5000);
	await platform.settle();
	expect(problems.at(-1)).toBeUndefined();
});
