import { beforeEach, describe, expect, test } from "vitest";
import { peerId } from "../../../src/report/topics.ts";
import { Bench, R, settled } from "./bench.ts";

let bench: Bench;
beforeEach(() => {
	bench = new Bench();
});

describe("commands", () => {
	test("are not listened to by default, nor obeyed", () => {
		bench.connect();
		expect(bench.subscribed.filter((topic) => topic.endsWith("command"))).toEqual([]);
		bench.receive(`${R}/command`, "flush");
		expect(bench.commands).toEqual([]);
		expect(bench.outcomes).toEqual([]);
	});

	test("reach the daemon with BIRD's name of the peer, one in a second", () => {
		bench = settled({ commands: true }, ["my.peer"]);
		expect(bench.subscribed).toEqual(expect.arrayContaining([`${R}/command`, `${R}/peer/+/command`]));
		bench.receive(`${R}/command`, "ensure");
		for (let times = 0; times < 100; times++) bench.receive(`${R}/command`, "flush");
		bench.advance(1000);
		bench.receive(`${R}/peer/${peerId("my.peer")}/command`, "restart");
		expect(bench.commands).toEqual([{ verb: "ensure" }, { verb: "restart", peer: "my.peer" }]);
		const refused = { command: "flush", ok: false, text: "refused: more than one command in a second" };
		expect(bench.outcomes).toEqual([refused]);
		expect(bench.log.filter((line) => line.includes("refused"))).toHaveLength(1);
	});

	test.each([
		[`${R}/command`, "restart", "not the word ensure or flush"],
		[`${R}/command`, "flush\n", "not the word ensure or flush"],
		[`${R}/command`, "Flush", "not the word ensure or flush"],
		[`${R}/peer/waukeen/command`, "flush", "not the word restart"],
		[`${R}/peer/nobody/command`, "restart", "BIRD has no such peer"],
	])("%s %j is refused with the reason, in the log and by an event", (topic, payload, reason) => {
		bench = settled({ commands: true });
		bench.receive(topic, payload);
		expect(bench.commands).toEqual([]);
		const word = payload.replace("\n", "\\x0a");
		expect(bench.log.at(-1)).toBe(`warn: MQTT: ${topic}: '${word}' refused: ${reason}`);
		expect(bench.outcomes).toEqual([
			expect.objectContaining({ command: word, ok: false, text: `refused: ${reason}` }),
		]);
	});

	test("retained ones are refused with a line in the log", () => {
		bench = settled({ commands: true });
		bench.receive(`${R}/command`, "flush", true);
		expect(bench.commands).toEqual([]);
		expect(bench.outcomes).toEqual([]);
		expect(bench.log.at(-1)).toBe(`warn: MQTT: ${R}/command: 'flush' refused: a retained command`);
	});

	test("dirty ones harm neither log nor event", () => {
		bench = settled({ commands: true });
		bench.receive(`${R}/command`, `\u001b[31m\u0000${"x".repeat(60_000)}`);
		expect(bench.log.at(-1)).toMatch(/'\\x1b\[31m\\x00x+…' refused/);
		expect(bench.log.at(-1)?.length).toBeLessThan(200);
		expect(JSON.stringify(bench.outcomes).length).toBeLessThan(200);
	});
});
