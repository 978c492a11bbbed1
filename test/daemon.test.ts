import { expect, test } from "vitest";
import { defaultConfig } from "../src/config/load.ts";
import { Daemon } from "../src/daemon.ts";
import { FakePlatform } from "./fakes/platform.ts";

test("a daemon that is only made has read, written, started and printed nothing", () => {
	const platform = new FakePlatform();
	const touched: string[] = [];
	const files = new Proxy(platform.files, {
		get(target, name) {
			const value = Reflect.get(target, name);
			if (typeof value !== "function") return value;
			touched.push(String(name));
			return value.bind(target);
		},
	});
	const watched = new Proxy(platform, {
		get: (target, name) => (name === "files" ? files : Reflect.get(target, name, target)),
	});
	const options = { version: "0", configPath: "/etc/config/bgpwarden", runDirectory: "/var/run/bgpwarden" };
	const daemon = new Daemon(watched, options, defaultConfig());
	expect(touched).toEqual([]);
	expect(platform.children).toEqual([]);
	expect(platform.pendingTimers).toBe(0);
	expect(platform.printed).toEqual({ stdout: "", stderr: "" });

	// And that this would have been seen:
	daemon.start();
	expect(touched.length).toBeGreaterThan(0);
	expect(platform.children.length).toBeGreaterThan(0);
	expect(platform.printed.stdout).toContain("bgpwarden 0 is starting");
});
