import { expect, test } from "vitest";
import { createLog } from "../src/log.ts";
import { FakePlatform } from "./fakes/platform.ts";

test.each([
	["error", "stderr"],
	["warn", "stderr"],
	["info", "stdout"],
	["debug", "stdout"],
] as const)("%s goes to %s, which procd logs by that", (level, stream) => {
	const platform = new FakePlatform();
	createLog(platform, "debug")(level, "x");
	expect(platform.printed[stream]).toMatch(/x\n$/);
	expect(platform.printed[stream === "stdout" ? "stderr" : "stdout"]).toBe("");
});

test("entries below the level are dropped, and others told with it", () => {
	const platform = new FakePlatform();
	const log = createLog(platform, "warn");
	log("info", "hidden");
	log("warn", "shown");
	log.level = "info";
	log("info", "shown too");
	expect(platform.printed).toEqual({ stdout: "shown too\n", stderr: "warn: shown\n" });
});

test("an entry is one line, whatever is in it", () => {
	const platform = new FakePlatform();
	createLog(platform)("info", "two\nlines\u001b[31m");
	expect(platform.printed.stdout).toBe("two lines [31m\n");
});

test("a flood is told five times a minute, and counted", () => {
	const platform = new FakePlatform();
	const log = createLog(platform);
	for (let number = 0; number < 100; number++) log("info", `garbage ${number}`);
	log("info", "something else");
	expect(platform.printed.stdout.split("\n")).toHaveLength(7);
	platform.advance(60_000);
	log("info", "garbage 100");
	expect(platform.printed.stdout).toContain("(95 similar messages suppressed)\ngarbage 100\n");
});
