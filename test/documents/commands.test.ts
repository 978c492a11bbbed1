import { existsSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { type Invocation, parseArguments, VERBS } from "../../src/cli/arguments.ts";
import { check } from "../../src/cli/check.ts";
import { events } from "../../src/cli/events.ts";
import { help } from "../../src/cli/help.ts";
import { render } from "../../src/cli/render.ts";
import { HELP } from "../../src/cli/text/help.ts";
import { parseConfig } from "../../src/config/load.ts";
import { FakePlatform } from "../fakes/platform.ts";
import { configured, namedCommands, type ShownCommand, typedCommands } from "./commands.ts";
import { blocksOf, DOCUMENTS, read, root } from "./markdown.ts";

/** Programs besides these in a document make somebody think: does the reader have it, and is it tried anywhere? */
const KNOWN = new Set(
	". apk bgpwarden echo kubectl logread make nft npx opkg opkg-key scp service ubus uci".split(" "),
);
/** Of rc.common, and of the init script. */
const ACTIONS = "start stop restart reload enable disable status doctor ensure release".split(" ");

const targets = [...readFileSync(`${root}Makefile`, "utf8").matchAll(/^([a-z][a-z-]*):(?!=)/gm)].map(
	([, target = ""]) => target,
);
const text = (command: ShownCommand) => command.join(" ");
const unique = (all: readonly ShownCommand[]) =>
	[...new Map(all.map((command) => [text(command), command])).values()].map((command) => ({
		command,
		line: text(command),
	}));
const typed = DOCUMENTS.flatMap(typedCommands);
const shown = [
	...typed,
	...DOCUMENTS.flatMap((path) => namedCommands(path, ["bgpwarden", "make", "service"])),
];
const of = (program: string) => unique(shown.filter(([first]) => first === program));

test("the documents show commands of every known program, and of no other", () => {
	const programs = new Set(typed.map(([program]) => program).filter((name) => !name.startsWith("scripts/")));
	expect([...programs].sort()).toEqual([...KNOWN].sort());
});

describe("bgpwarden", () => {
	test.each(of("bgpwarden"))("$line", ({ command: [, ...args] }) => {
		const [verb = ""] = args;
		// In a sentence a command is named without what it needs.
		const isName = args.length === 1 && (VERBS as readonly string[]).includes(verb);
		if (!isName) expect(parseArguments(args)).not.toHaveProperty("error");
		else expect(HELP).toContain(`\n  ${verb} `);
	});

	test("every command is in docs/commands.md", () => {
		const verbs = new Set(
			namedCommands("docs/commands.md", ["bgpwarden"]).map(([, ...args]) => parseArguments(args).verb),
		);
		expect([...verbs].sort()).toEqual(
			"check doctor ensure events flush help peers release render restart run status trace".split(" "),
		);
	});
});

const CONFIGURATION = "/etc/config/bgpwarden";

/** A router with the document's peer, and a BIRD that was started with what bgpwarden renders for it; no daemon. */
async function router(): Promise<FakePlatform> {
	const platform = new FakePlatform();
	const peer = blocksOf(read("docs/bird-and-cluster.md")).find(({ language }) => language === "uci");
	platform.files.set(CONFIGURATION, peer?.text ?? "");
	const rendered = { what: "bird", check: false, live: false, json: false } as const;
	expect(await render(platform, CONFIGURATION, rendered)).toBe(0);
	platform.files.set("/etc/bird.conf", platform.printed.stdout);
	platform.printed.stdout = "";
	return platform;
}

/** What needs neither a daemon nor root; undefined for the rest. */
async function execute(platform: FakePlatform, args: readonly string[]): Promise<number | undefined> {
	const invocation = parseArguments(args);
	if (invocation.verb === "help") return help(platform, invocation.topic);
	const { verb } = invocation as Invocation;
	const paths = { configPath: CONFIGURATION, runDirectory: "/var/run/bgpwarden" };
	if (verb === "check") return check(platform, paths);
	if (verb === "events" && !args.includes("--follow")) return events(platform, paths, false);
	if (invocation.verb !== "render" || invocation.live) return undefined;
	return render(platform, CONFIGURATION, invocation);
}

test("what needs neither a daemon nor root is executed, and succeeds", async () => {
	const executed: string[] = [];
	for (const { command, line } of of("bgpwarden")) {
		const platform = await router();
		const code = await execute(platform, command.slice(1));
		if (code === undefined) continue;
		executed.push(line);
		expect({ line, code, complaints: platform.printed.stderr }).toEqual({ line, code: 0, complaints: "" });
	}
	expect(executed.length).toBeGreaterThan(15);
	expect(executed).toContain("bgpwarden render bird --check");
	expect(executed).toContain("bgpwarden help mqtt.host");
});

describe("make", () => {
	test.each(of("make"))("$line", ({ command: [, ...args] }) => {
		const named = args.filter((word) => !word.includes("="));
		expect(named).not.toEqual([]);
		for (const target of named) expect(targets).toContain(target);
	});

	test("CONTRIBUTING.md names every target", () => {
		const named = new Set(namedCommands("CONTRIBUTING.md", ["make"]).flat());
		const parts = new Set(["help", "preflight", "unit", "lint"]);
		expect(targets.filter((target) => !named.has(target) && !parts.has(target))).toEqual([]);
	});
});

test.each(of("service"))("$line", ({ command: [, service, action = ""] }) => {
	if (service === "bgpwarden") expect(ACTIONS).toContain(action);
	else if (service === "firewall") expect(["start", "stop", "restart", "disable"]).toContain(action);
	else expect(service).toBe("bird");
});

test.each(unique(typed.filter(([program]) => program.startsWith("scripts/"))))("$line", ({ command }) => {
	expect(existsSync(root + command[0])).toBe(true);
});

test("npx runs what is there", () => {
	for (const [, program, file = ""] of typed.filter(([first]) => first === "npx")) {
		expect(program).toBe("tsx");
		expect(existsSync(root + file)).toBe(true);
	}
});

describe("uci", () => {
	/** Each fenced block is one way to configure the router. */
	const blocks = DOCUMENTS.flatMap((path) =>
		blocksOf(read(path))
			.filter(({ language, text: block }) => language === "sh" && block.includes("uci set"))
			.map(({ text: block }) => ({
				path,
				lines: block.split("\n").filter((line) => line.startsWith("uci ")),
			})),
	);

	test.each(blocks)("$path: $lines", ({ lines }) => {
		const settings = lines.flatMap((line) => /^uci set (.*)$/.exec(line)?.[1] ?? []);
		const others = lines.filter((line) => !line.startsWith("uci set ") && line !== "uci commit bgpwarden");
		expect(others).toEqual([]);
		expect(parseConfig(configured(settings), "example")).toHaveProperty("config");
	});

	test("a whole section of the documents is accepted", () => {
		const sections = DOCUMENTS.flatMap((path) => blocksOf(read(path))).filter(
			({ language }) => language === "uci",
		);
		expect(sections.length).toBeGreaterThan(1);
		for (const { text: block } of sections) expect(parseConfig(block, "example")).toHaveProperty("config");
	});

	test("what no loader accepts is noticed", () => {
		expect(parseConfig(configured(["bgpwarden.main.zonee=lan"]), "example")).toHaveProperty("errors");
		expect(() => configured(["bgpwarden.nobody.zone=lan"])).toThrow("no such section");
	});
});
