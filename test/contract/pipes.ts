import type { ExitStatus, FullPipe, Platform } from "../../src/platform/types.ts";
import { equal, holds, pause, until } from "./check.ts";
import type { ContractCase } from "./suite.ts";

/** Starts a child that writes what it can into a pipe and then ends. */
function write(platform: Platform, stdout: FullPipe, argv: readonly [string, ...string[]]) {
	const seen: { status?: ExitStatus } = {};
	const child = platform.spawn({
		argv,
		stdin: true,
		stdout,
		onExit: (status) => {
			seen.status = status;
		},
	});
	return { child, seen };
}

export const pipeCases: readonly ContractCase[] = [
	{
		name: "who writes one byte into a full pipe waits until the pipe is closed, and then ends",
		async run(platform) {
			const open = () => platform.files.list("/proc/self/fd").length;
			const before = open();
			const pipe = await platform.openFullPipe();
			const { child, seen } = write(platform, pipe, ["tr", "a", "b"]);
			child.write("a");
			child.closeStdin();
			await pause(platform, 200);
			equal(seen.status, undefined, "status of the child that waits");
			pipe.close();
			await until(platform, "the end", () => seen.status !== undefined);
			// SIGPIPE ends it, where its default action was not changed by who started us.
			equal(seen.status, { signal: 13 }, "status");
			equal(open(), before, "descriptors");
		},
	},
	{
		name: "a full pipe is full though the process is busy with timers meanwhile",
		async run(platform) {
			let left = 80;
			const burn = () => {
				const end = platform.now().monotonic + 4;
				while (platform.now().monotonic < end);
				// Two for each one that has fired: expired timers are never out of stock.
				for (let next = 0; next < 2 && left > 0; next++, left--) platform.after(1, burn);
			};
			burn();
			await pause(platform, 20);
			const pipe = await platform.openFullPipe();
			const { child, seen } = write(platform, pipe, ["cat"]);
			child.write("x");
			await pause(platform, 200);
			equal(seen.status, undefined, "status of the child that waits");
			child.kill("SIGKILL");
			await until(platform, "the end", () => seen.status !== undefined);
			pipe.close();
		},
	},
	{
		name: "a full pipe serves one child after the other; a child that is killed takes nothing out of it",
		async run(platform) {
			const pipe = await platform.openFullPipe();
			for (let round = 0; round < 3; round++) {
				const { child, seen } = write(platform, pipe, ["cat"]);
				child.write("x");
				await pause(platform, 50);
				equal(seen.status, undefined, `status in round ${round}`);
				child.kill("SIGKILL");
				await until(platform, "the end", () => seen.status !== undefined);
			}
			pipe.close();
		},
	},
	{
		name: "other children do not hold a full pipe open",
		async run(platform) {
			const pipe = await platform.openFullPipe();
			let bystanderEnded = false;
			const bystander = platform.spawn({
				argv: ["sleep", "60"],
				onExit: () => {
					bystanderEnded = true;
				},
			});
			const { child, seen } = write(platform, pipe, ["cat"]);
			child.write("x");
			await pause(platform, 50);
			pipe.close();
			await until(platform, "the end", () => seen.status !== undefined);
			holds(!bystanderEnded, "the other child has ended too");
			bystander.kill("SIGKILL");
			await until(platform, "the bystander's end", () => bystanderEnded);
		},
	},
];
