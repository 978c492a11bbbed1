import { LineSplitter } from "../../src/lib/lines.ts";
import { runToEnd, supervise } from "../../src/platform/supervise.ts";
import { equal, holds, outcome, pause, until } from "./check.ts";
import type { ContractCase } from "./suite.ts";

const MEGABYTE = 1 << 20;

export const childCases: readonly ContractCase[] = [
	{
		name: "output, error output and exit code of a child",
		async run(platform) {
			const done = await outcome(platform, ["sh", "-c", "echo out; echo err >&2; exit 3"]);
			equal(done, { status: { code: 3 }, stdout: "out\n", stderr: "err\n" }, "outcome");
		},
	},
	{
		name: "arguments reach the child as they are: no shell sees them",
		async run(platform) {
			const { stdout } = await outcome(platform, ["printf", "%s|", "$HOME; echo x", "*", "a b", "é'\""]);
			equal(stdout, "$HOME; echo x|*|a b|é'\"|", "arguments");
		},
	},
	{
		name: "a program that does not exist is exit code 127",
		async run(platform) {
			const done = await outcome(platform, ["bgpwarden-no-such-program"]);
			equal(done.status, { code: 127 }, "status");
		},
	},
	{
		name: "a child ended by a signal tells its number",
		async run(platform) {
			let status: unknown;
			const child = platform.spawn({
				argv: ["sleep", "60"],
				onExit: (ended) => {
					status = ended;
				},
			});
			child.kill("SIGKILL");
			await until(platform, "the end", () => status !== undefined);
			equal(status, { signal: 9 }, "status");
			child.kill("SIGKILL");
		},
	},
	{
		name: "a megabyte goes in and comes out unharmed",
		async run(platform) {
			const sent = new Uint8Array(MEGABYTE).map((_, index) => (index * 31 + (index >> 8)) & 0xff);
			const received = new Uint8Array(MEGABYTE);
			let length = 0;
			let ended = false;
			const child = platform.spawn({
				argv: ["cat"],
				stdin: true,
				onStdout: (chunk) => {
					received.set(chunk, length);
					length += chunk.length;
				},
				onExit: () => {
					ended = true;
				},
			});
			child.write(sent);
			child.closeStdin();
			await until(platform, "the end", () => ended);
			equal(length, MEGABYTE, "bytes");
			equal(
				received.findIndex((byte, index) => byte !== sent[index]),
				-1,
				"first byte that differs",
			);
		},
	},
	{
		name: "a child that does not read blocks nobody",
		async run(platform) {
			let ended = false;
			const child = platform.spawn({
				argv: ["sleep", "60"],
				stdin: true,
				onExit: () => {
					ended = true;
				},
			});
			child.write(new Uint8Array(MEGABYTE));
			await pause(platform, 20);
			holds(child.pendingBytes > 0, "everything was taken by a child that does not read");
			child.kill("SIGKILL");
			await until(platform, "the end", () => ended);
			child.write("too late");
		},
	},
	{
		name: "drained is told once everything was taken",
		async run(platform) {
			let drained = 0;
			let ended = false;
			const child = platform.spawn({
				argv: ["cat"],
				stdin: true,
				onStdout: () => {},
				onExit: () => {
					ended = true;
				},
			});
			child.write(new Uint8Array(200_000));
			child.onDrain(() => {
				drained++;
				equal(child.pendingBytes, 0, "bytes left");
			});
			await until(platform, "drained", () => drained === 1);
			child.onDrain(() => drained++);
			await until(platform, "drained at rest", () => drained === 2);
			child.closeStdin();
			await until(platform, "the end", () => ended);
			equal(drained, 2, "calls");
		},
	},
	{
		name: "writing to a child that has ended does no harm",
		async run(platform) {
			let ended = false;
			const child = platform.spawn({
				argv: ["true"],
				stdin: true,
				onExit: () => {
					ended = true;
				},
			});
			await pause(platform, 50);
			for (let round = 0; round < 10; round++) child.write(new Uint8Array(10_000));
			await until(platform, "the end", () => ended);
		},
	},
	{
		name: "a line of ten megabytes costs its beginning only",
		async run(platform) {
			const lines: [number, boolean][] = [];
			const splitter = new LineSplitter((line) => lines.push([line.text.length, line.truncated]), 1000);
			let ended = false;
			platform.spawn({
				argv: ["sh", "-c", "echo first; head -c 10000000 /dev/zero | tr '\\0' x; echo; echo last"],
				onStdout: (chunk) => splitter.push(chunk),
				onExit: () => {
					ended = true;
				},
			});
			await until(platform, "the end", () => ended);
			equal(lines, [[5, false], [1000, true], [4, false]], "lengths"); // biome-ignore format: one row
		},
	},
	{
		name: "a hundred children leave no descriptor open",
		async run(platform) {
			const open = () => platform.files.list("/proc/self/fd").length;
			await outcome(platform, ["true"], "warm");
			const before = open();
			for (let round = 0; round < 100; round++) await outcome(platform, ["true"], "x");
			holds(open() <= before, `${before} descriptors before, ${open()} after`);
		},
	},
	{
		name: "a supervised child comes back, later each time, until it is stopped",
		async run(platform) {
			const delays: number[] = [];
			const reasons: string[] = [];
			const process = supervise(platform, {
				argv: ["sh", "-c", "echo tired >&2; exit 4"],
				backoff: { first: 10, longest: 40 },
				onStdout: () => {},
				onStart: () => {},
				onEnd: (reason, delay) => {
					reasons.push(reason);
					delays.push(delay);
				},
			});
			process.start();
			await until(platform, "four ends", () => delays.length >= 4);
			process.stop();
			const count = delays.length;
			await pause(platform, 100);
			equal(delays.length, count, "ends after stop");
			equal(reasons[0], "sh -c echo tired >&2; exit 4: exit 4: tired", "reason");
			const [first = 0, second = 0, third = 0, fourth = 0] = delays;
			holds(first >= 10 && first <= 13, `first delay ${first}`);
			holds(second >= 20 && second <= 25, `second delay ${second}`);
			holds(third >= 40 && fourth <= 50, `later delays ${third}, ${fourth}`);
		},
	},
	{
		name: "a program that does not end is ended",
		async run(platform) {
			const done = await runToEnd(platform, ["sleep", "60"], { timeout: 50 });
			equal([done.timedOut, done.status], [true, { signal: 9 }], "outcome");
			const good = await runToEnd(platform, ["tr", "a", "b"], { timeout: 5000, input: "aXa" });
			equal([good.timedOut, good.stdout], [false, "bXb"], "outcome of a good one");
		},
	},
	{
		name: "a child that prints all the time does not keep a later one waiting",
		async run(platform) {
			let chunks = 0;
			const busy = platform.spawn({ argv: ["yes"], onStdout: () => chunks++, onExit: () => {} });
			await until(platform, "the busy one", () => chunks > 10);
			for (let round = 0; round < 5; round++) {
				const before = chunks;
				const { stdout } = await outcome(platform, ["echo", "quiet"]);
				equal(stdout, "quiet\n", "output");
				await until(platform, "the busy one to go on", () => chunks > before);
			}
			busy.kill("SIGKILL");
		},
	},
	{
		name: "output is read in pieces of the size that was asked for",
		async run(platform) {
			let longest = 0;
			let ended = false;
			platform.spawn({
				argv: ["head", "-c", "200000", "/dev/zero"],
				piece: 4096,
				onStdout: (chunk) => {
					longest = Math.max(longest, chunk.length);
				},
				onExit: () => {
					ended = true;
				},
			});
			await until(platform, "the end", () => ended);
			// Node reads as it likes.
			holds(longest > 0 && (longest <= 4096 || platform.engine !== "quickjs"), `${longest} bytes at a time`);
		},
	},
	{
		name: "a child that is killed has ended, though another holds its output",
		async run(platform) {
			let status: unknown;
			const child = platform.spawn({
				argv: ["sh", "-c", "sleep 30 & echo started; wait"],
				onStdout: () => child.kill("SIGKILL"),
				onExit: (ended) => {
					status = ended;
				},
			});
			await until(platform, "the end", () => status !== undefined);
			equal(status, { signal: 9 }, "status");
		},
	},
	{
		name: "a child that ends has ended, though another holds its output for ever",
		async run(platform) {
			const said: unknown[] = [];
			platform.spawn({
				argv: ["sh", "-c", "sleep 30 & echo out; exit 3"],
				onStdout: (chunk) => said.push(chunk.length),
				onExit: (status) => said.push(status),
			});
			for (let tries = 0; tries < 15 && said.length < 2; tries++) await pause(platform, 1000);
			equal(said, [4, { code: 3 }], "output and end");
		},
	},
	{
		name: "children that run are counted",
		async run(platform) {
			const before = platform.childCount;
			let ended = false;
			const child = platform.spawn({
				argv: ["sleep", "30"],
				onExit: () => {
					ended = true;
				},
			});
			equal(platform.childCount, before + 1, "while it runs");
			child.kill("SIGKILL");
			await until(platform, "the end", () => ended);
			equal(platform.childCount, before, "after its end");
		},
	},
	{
		name: "of many short-lived programs two run at a time, and what is urgent waits for none",
		async run(platform) {
			const before = platform.childCount;
			let most = 0;
			const look = () => {
				most = Math.max(most, platform.childCount - before);
			};
			const many = Array.from({ length: 12 }, () => {
				const done = runToEnd(platform, ["sleep", "0.05"], { timeout: 5000 });
				look();
				return done.then((result) => {
					look();
					return result;
				});
			});
			equal(most, 2, "at a time, before the urgent one");
			const urgent = runToEnd(platform, ["echo", "now"], { timeout: 5000, urgent: true });
			equal(platform.childCount - before, 3, "with the urgent one");
			equal((await urgent).stdout, "now\n", "urgent");
			const statuses = (await Promise.all(many)).map(({ status }) => status);
			equal(statuses, new Array(12).fill({ code: 0 }), "statuses");
			// One of the short-lived may end and be followed before the urgent one has ended.
			holds(most <= 3, `${most} at a time`);
		},
	},
];
