import { beforeEach, describe, expect, it, vi } from "vitest";
import { defaultConfig } from "../../src/config/load.ts";
import {
	keepLastGood,
	LAST_GOOD,
	mistakeProblem,
	readConfiguration,
	startConfiguration,
} from "../../src/config/read.ts";
import { FakePlatform } from "../fakes/platform.ts";

const PATH = "/etc/config/bgpwarden";
const MINE = "config bgpwarden 'main'\n\toption table 'my_bgp'\n";
const BAD = "config bgpwarden 'main'\n\toption poll_interval 'abc'\n\toption scop 'any'\n";
const START_OVER = "(to start over with the defaults, write this line into it: config bgpwarden 'main')";

let { files } = new FakePlatform();
beforeEach(() => {
	files = new FakePlatform().files;
});

describe("a configuration file", () => {
	it.each([
		["nothing", ""],
		["blanks", "\n \t\n"],
		["comments", "# a\n  # config bgpwarden 'main'\n"],
		["a package line", "package bgpwarden\n"],
	])("with %s in it is one mistake", (_, text) => {
		files.set(PATH, text);
		expect(readConfiguration(files, PATH)).toEqual({ errors: [`${PATH}: empty ${START_OVER}`] });
	});

	it("that is gone is one too", () => {
		expect(readConfiguration(files, PATH)).toEqual({
			errors: [`${PATH}: No such file or directory ${START_OVER}`],
			unread: true,
		});
	});

	it("with one empty section asks for the defaults", () => {
		files.set(PATH, "config bgpwarden 'main'\n");
		expect(readConfiguration(files, PATH)).toMatchObject({ config: defaultConfig() });
	});
});

describe("at the start", () => {
	const start = () => startConfiguration(files, PATH);

	it("a file without mistakes is used, whatever was kept", () => {
		files.set(PATH, MINE);
		files.set(LAST_GOOD, "config bgpwarden 'main'\n");
		expect(start()).toMatchObject({ config: { main: { table: "my_bgp" } } });
		expect(start()).not.toHaveProperty("mistakes");
	});

	it.each([
		["wrong", BAD],
		["broken", "config bgpwarden 'main"],
		["empty", ""],
		["gone", undefined],
	])("one that is %s is replaced by the last good one", (_, text) => {
		if (text !== undefined) files.set(PATH, text);
		files.set(LAST_GOOD, MINE);
		const { config, mistakes } = start();
		expect(config.main.table).toBe("my_bgp");
		if (!mistakes) throw new Error("no mistakes");
		expect(mistakes.defaults).toBe(false);
		expect(mistakeProblem(mistakes)).toMatch(
			/^\/etc\/config\/bgpwarden.*; using the last good configuration \(\/etc\/bgpwarden\/last-good\)$/,
		);
	});

	it("without a last good one there are the defaults", () => {
		files.set(PATH, BAD);
		const { config, mistakes } = start();
		expect(config).toEqual(defaultConfig());
		expect(mistakes?.defaults).toBe(true);
		expect(mistakes && mistakeProblem(mistakes)).toBe(
			`${PATH}:2: main.poll_interval: 'abc' is not a number of seconds (1 to 3600) (and 1 more); using defaults`,
		);
	});

	it("a last good one that is none is said to be so", () => {
		files.set(PATH, BAD);
		files.set(LAST_GOOD, "");
		expect(start().mistakes).toMatchObject({
			defaults: true,
			instead: "using defaults (/etc/bgpwarden/last-good has mistakes too)",
		});
	});

	it("what was kept is no substitute for another file", () => {
		files.set("/tmp/mine", BAD);
		files.set(LAST_GOOD, MINE);
		expect(startConfiguration(files, "/tmp/mine").config).toEqual(defaultConfig());
	});
});

describe("the last good configuration", () => {
	it("is kept verbatim, for root alone, and written only when it changes", () => {
		const replace = vi.spyOn(files, "replace");
		const text = `# mine\n${MINE}`;
		expect(keepLastGood(files, PATH, text)).toBeUndefined();
		expect(keepLastGood(files, PATH, text)).toBeUndefined();
		expect(replace.mock.calls).toEqual([[LAST_GOOD, text, { mode: 0o600, durable: true }]]);
		expect(keepLastGood(files, PATH, MINE)).toBeUndefined();
		expect(files.read(LAST_GOOD)).toBe(MINE);
	});

	it("is not that of another file", () => {
		expect(keepLastGood(files, "/tmp/mine", MINE)).toBeUndefined();
		expect(files.status(LAST_GOOD)).toBeUndefined();
	});

	it("says why it cannot be kept", () => {
		files.fail(LAST_GOOD, "No space left on device");
		expect(keepLastGood(files, PATH, MINE)).toMatch(
			/^cannot save the last good configuration: .*No space left on device$/,
		);
	});
});
