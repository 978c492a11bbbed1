import { equal, holds, outcome, pause, until } from "./check.ts";
import type { ContractCase } from "./suite.ts";

export const processCases: readonly ContractCase[] = [
	{
		name: "a timer never fires before its time",
		async run(platform) {
			for (const delay of [1, 7, 20]) {
				const start = platform.now().monotonic;
				await pause(platform, delay);
				const passed = platform.now().monotonic - start;
				holds(passed >= delay, `a timer of ${delay} ms fired after ${passed} ms`);
			}
		},
	},
	{
		name: "a timer does not wait for a longer one made before it, and a cancelled one never fires",
		async run(platform) {
			const fired: string[] = [];
			const long = platform.after(60_000, () => fired.push("long"));
			platform.after(1, () => fired.push("cancelled")).cancel();
			platform.after(5, () => fired.push("short"));
			await pause(platform, 20);
			await until(platform, "the short one", () => fired.includes("short"));
			long.cancel();
			equal(fired, ["short"], "fired");
		},
	},
	{
		name: "the wall clock is milliseconds since 1970",
		async run(platform) {
			const seconds = () => Math.floor(platform.now().wall / 1000);
			const before = seconds();
			const date = Number((await outcome(platform, ["date", "+%s"])).stdout);
			const after = seconds();
			holds(before <= date && date <= after, `date(1) says ${date}, between ${before} and ${after}`);
		},
	},
	{
		name: "a signal reaches its handler and does not end the process",
		async run(platform) {
			let hups = 0;
			platform.onSignal("SIGHUP", () => hups++);
			// The shell's own: the program is not in every container.
			await outcome(platform, ["sh", "-c", `kill -HUP ${platform.pid}`]);
			await until(platform, "the handler", () => hups === 1);
		},
	},
	{
		name: "a process exists, or does not",
		async run(platform) {
			equal(platform.processExists(platform.pid), true, "this one");
			equal(platform.processExists(4_194_303), false, "the highest possible id");
		},
	},
	{
		name: "a process that is no child gets a signal, and one that does not exist does not matter",
		async run(platform) {
			const script = "sleep 60 >/dev/null 2>&1 & echo $!";
			const pid = Number((await outcome(platform, ["sh", "-c", script])).stdout);
			equal(platform.processExists(pid), true, "before");
			platform.kill(pid, "SIGKILL");
			platform.kill(4_194_303, "SIGKILL");
			// Nobody may reap it here: a zombie has no command line.
			await until(platform, "the end", () => {
				try {
					return platform.files.read(`/proc/${pid}/cmdline`) === "";
				} catch {
					return true;
				}
			});
		},
	},
	{
		name: "a variable that is set reaches children",
		async run(platform) {
			platform.setEnvironment("BGPWARDEN_SET", "a b");
			equal(platform.environment("BGPWARDEN_SET"), "a b", "here");
			equal((await outcome(platform, ["sh", "-c", 'echo "$BGPWARDEN_SET"'])).stdout, "a b\n", "there");
		},
	},
	{
		name: "environment and chance",
		async run(platform) {
			holds((platform.environment("PATH") ?? "").includes("/"), "PATH");
			equal(platform.environment("BGPWARDEN_NOT_SET"), undefined, "a variable that is not set");
			const number = platform.random();
			holds(number >= 0 && number < 1, `random() gave ${number}`);
		},
	},
];
