import { expect, test } from "vitest";
import { askRoutes, Bench, captured, client, HOLDERS, instead } from "./fake-birdcl.ts";

const table = (name: string, unreachable: number) =>
	`1007-${unreachable} of 2 routes for 2 networks in table ${name}\n`;

/** A bench whose BIRD answers this about waukeen, and how it reads once more. */
function poller(answer: string) {
	const bench = new Bench();
	const say = (text: string) => bench.platform.program("birdcl", client(instead(askRoutes("waukeen"), text)));
	say(answer);
	bench.session.start();
	bench.platform.advance(0);
	const asked = () => bench.commands().filter((command) => command === askRoutes("waukeen")).length;
	const read = () => {
		bench.session.read();
		bench.platform.advance(0);
	};
	const told = () => bench.readings.at(-1)?.peers.find(({ name }) => name === "waukeen")?.unreachable;
	return { ...bench, platform: bench.platform, readings: bench.readings, asked, read, told };
}

test.each([
	["none", table("master4", 0), 0],
	["one", table("master4", 1), 1],
	[
		"two tables and their total",
		`${table("master4", 1)}     \n${table("master6", 2)}     \n0014 Total: 3 of 4 routes for 4 networks in 2 tables\n`,
		3,
	],
	["a refusal", "9001 syntax error, unexpected CF_SYM_UNDEFINED\n", undefined],
	["nothing", "", undefined],
	["other words", "1007-many of them\n", undefined],
])("%s: how many routes lead nowhere", (_, answer, count) => {
	expect(poller(answer).told()).toBe(count);
});

test("is asked once where every route leads somewhere, and of nobody without routes", () => {
	const bird = poller(table("master4", 0));
	bird.read();
	bird.read();
	expect(bird.readings).toHaveLength(3);
	expect(bird.asked()).toBe(1);
	expect(bird.told()).toBe(0);
	const asked = bird.platform.children.flatMap(({ written }) => written.split("\n"));
	expect(asked.filter((line) => line.startsWith("show route "))).toEqual(HOLDERS.map(askRoutes));
});

test("is asked with each reading while routes lead nowhere", () => {
	const bird = poller(table("master4", 1));
	bird.read();
	bird.read();
	expect(bird.asked()).toBe(3);
});

test("is asked again after ten minutes, in the same process", () => {
	const bird = poller(table("master4", 0));
	bird.platform.advance(600_000);
	bird.read();
	expect(bird.asked()).toBe(2);
	expect(bird.platform.children).toHaveLength(1);
});

test("is asked again when the peer's routes, or BIRD's configuration, are others", () => {
	const bench = new Bench();
	const answers = new Map(captured.answers);
	bench.platform.program("birdcl", client(answers));
	answers.set(askRoutes("waukeen"), table("master4", 0));
	bench.session.start();
	const asked = () => {
		bench.session.read();
		bench.platform.advance(0);
		return bench.commands().filter((command) => command === askRoutes("waukeen")).length;
	};
	bench.platform.advance(0);
	expect(asked()).toBe(1);
	const status = answers.get("show status") ?? "";
	answers.set("show status", status.replace(/reconfiguration on .*/, "reconfiguration on 2026-11-28"));
	expect(asked()).toBe(2);
	const protocols = answers.get("show protocols all") ?? "";
	answers.set("show protocols all", protocols.replace(/(Import updates: +)3( +0 +1)/, "$14$2"));
	expect(asked()).toBe(3);
	expect(asked()).toBe(3);
});

test("is not asked where there are very many routes", () => {
	const bench = new Bench();
	const protocols = (captured.answers.get("show protocols all") ?? "").replace(
		"2 imported, 1 filtered",
		"900000 imported, 1 filtered",
	);
	bench.platform.program("birdcl", client(instead("show protocols all", protocols)));
	bench.session.start();
	bench.platform.advance(0);
	expect(bench.readings).toHaveLength(1);
	expect(bench.commands().filter((command) => command.startsWith("show route"))).toEqual([]);
});
