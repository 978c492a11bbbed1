import { beforeEach, describe, expect, it } from "vitest";
import type { BirdReading } from "../../../src/model/bird.ts";
import { type BirdPoller, createBirdPoller } from "../../../src/system/bird/poller.ts";
import type { FakePlatform } from "../../fakes/platform.ts";
import {
	askRoutes,
	Bench,
	captured,
	client,
	expected,
	HOLDERS,
	instead,
	SOCKET,
	STATUS,
	without,
} from "./fake-birdcl.ts";
import { fixture, takeApart, VERSIONS, withoutTimes } from "./transcript.ts";

let bench: Bench;
let platform: FakePlatform;
let session: BirdPoller;
let said: string[];
let readings: BirdReading[];

beforeEach(() => {
	bench = new Bench();
	({ platform, session, said, readings } = bench);
});

describe("a session that works", () => {
	it("reads once by itself, in one process that may only read", () => {
		session.start();
		platform.advance(0);
		expect(said).toEqual(["up 3.1.8", "reading"]);
		expect(withoutTimes(readings[0])).toEqual(expected);
		expect(platform.children.map((child) => child.argv)).toEqual([["birdcl", "-v", "-r", "-s", SOCKET]]);
		expect(bench.commands()).toEqual([
			'timeformat "%s.%3f"',
			"show status",
			"show protocols all",
			"show bfd sessions",
			...HOLDERS.map(askRoutes),
		]);
	});

	it("writes a command only when the one before was answered", () => {
		platform.program("birdcl", client(without("show protocols all")));
		session.start();
		platform.advance(10);
		expect(bench.commands().at(-1)).toBe("show protocols all");
	});

	it("starts no further process for further readings and leaves no timer at rest", () => {
		session.start();
		platform.advance(0);
		for (let count = 0; count < 5; count++) {
			session.read();
			platform.advance(15_000);
		}
		expect(readings).toHaveLength(6);
		expect(platform.children).toHaveLength(1);
		expect(platform.pendingTimers).toBe(0);
	});

	it("makes one more reading of all calls that come during one", () => {
		session.start();
		platform.advance(0);
		session.read();
		session.read();
		session.read();
		platform.advance(0);
		expect(readings).toHaveLength(3);
	});

	it.each([1, 7, 100, 4096])("takes an answer in chunks of %i bytes", (size) => {
		platform.program("birdcl", (child) => {
			const inChunks = (text: string) => {
				for (let at = 0; at < text.length; at += size) child.out(text.slice(at, at + size));
			};
			inChunks(`${captured.greeting}bird> `);
			child.onWritten((text) => inChunks(`${text}${captured.answers.get(text.trim())}bird> `));
		});
		session.start();
		platform.advance(0);
		expect(withoutTimes(readings[0])).toEqual(expected);
	});

	it("does not take a description for the prompt, even at the end of a chunk", () => {
		const answer = captured.answers.get("show protocols all")?.replace("Down\n", "ask the bird> \n") ?? "";
		platform.program("birdcl", (child) => {
			child.out(`${captured.greeting}bird> `);
			child.onWritten((text) => {
				const whole = `${text}${text.includes("protocols") ? answer : captured.answers.get(text.trim())}bird> `;
				for (const piece of whole.split(/(?<=the bird> )/)) child.out(piece);
			});
		});
		session.start();
		platform.advance(0);
		expect(answer).toContain("the bird> \n");
		expect(readings.map(withoutTimes)).toEqual([expected]);
	});

	it("reads a BIRD before 2.15", () => {
		const old = takeApart(fixture("bird-2.0.7-synthetic-all.txt"));
		const answers = new Map([...old.answers, ['timeformat "%s.%3f"', "9001 syntax error\n"]]);
		platform.program("birdcl", client(answers, old.greeting));
		session.start();
		platform.advance(0);
		session.read();
		platform.advance(0);
		expect(withoutTimes(readings[1])).toEqual(JSON.parse(fixture("bird-2.0.7-synthetic-all.json")));
	});

	it("leaves BFD open when BIRD refuses to tell it", () => {
		const refusal = "9001 There are multiple BFD protocols running\n";
		platform.program("birdcl", client(instead("show bfd sessions", refusal)));
		session.start();
		platform.advance(0);
		expect(readings[0]?.peers.map((peer) => peer.bfd)).toEqual(expected.peers.map(() => undefined));
	});

	it("looks for the socket in the usual places, or where it was told to", () => {
		platform.files.remove(SOCKET);
		platform.files.setSocket("/run/bird.ctl");
		platform.files.setSocket("/run/bird/bird.ctl");
		session.start();
		expect(platform.children[0]?.argv.at(-1)).toBe("/run/bird/bird.ctl");
		bench.createSession("/tmp/own.ctl").start();
		expect(said.at(-1)).toBe("lost: BIRD does not run: no socket at /tmp/own.ctl");
		platform.files.setSocket("/tmp/own.ctl");
		platform.advance(1000);
		expect(platform.children.at(-1)?.argv.at(-1)).toBe("/tmp/own.ctl");
	});
});

describe("birdc, where there is no birdcl", () => {
	const terminals = [
		["dumb", "\r      \r"],
		["xterm", "\r\u001b[K"],
	] as const;
	it.each(VERSIONS.flatMap((version) => terminals.map((terminal) => [version, ...terminal] as const)))(
		"is read through the prompts it takes away again (%s, %s)",
		(version, terminal, erase) => {
			const parts = fixture(`bird-${version}-birdc-${terminal}.txt`).split(`bird> ${erase}`);
			const [start = "", protocols = ""] = parts.map((part) => part.replace(/^bird> .*\n/m, ""));
			const table =
				takeApart(fixture(`bird-${version}-bfd-table.txt`)).answers.get("show bfd sessions") ?? "";
			platform.program("birdcl", undefined);
			platform.program("birdc", (child) => {
				child.out(`${start}bird> `);
				child.onWritten((text) => {
					const answer = text.includes("protocols") ? protocols : text.includes("sessions") ? table : "";
					// Each of readline's writes may come in a chunk of its own.
					for (const piece of [text.trim(), "\n", "bird> ", erase, answer, "bird> "]) child.out(piece);
				});
			});
			session.start();
			platform.advance(0);
			session.read();
			platform.advance(0);
			expect(readings.map(withoutTimes)).toEqual([
				{ ...expected, version },
				{ ...expected, version },
			]);
			expect(platform.children.map((child) => child.argv[0])).toEqual(["birdcl", "birdc"]);
		},
	);

	it("is one clear reason when there is neither", () => {
		platform.program("birdcl", undefined);
		session.start();
		platform.advance(10);
		expect(said).toEqual(["lost: neither birdcl nor birdc can be run"]);
		platform.program("birdcl", client());
		platform.advance(2000);
		expect(said.slice(1)).toEqual(["up 3.1.8", "reading"]);
	});
});

describe("BIRD's configuration", () => {
	const status = { text: STATUS };
	const LATER = STATUS.replace(/reconfiguration on .*/, "reconfiguration on 2026-11-27 09:30:00.000");
	let order: string[];
	let poller: BirdPoller;

	beforeEach(() => {
		status.text = STATUS;
		order = [];
		poller = createBirdPoller(platform, {
			socket: "",
			onUp: () => order.push("up"),
			onLost: () => order.push("lost"),
			onConfigured: (socket) => order.push(`configured ${socket}`),
			onReading: () => order.push("reading"),
		});
		platform.program("birdcl", (child) => {
			child.out(`${captured.greeting}bird> `);
			child.onWritten((text) => {
				const answer = text === "show status\n" ? status.text : captured.answers.get(text.trim());
				child.out(`${text}${answer}bird> `);
			});
		});
		poller.start();
		platform.advance(0);
	});

	const read = (text = STATUS) => {
		status.text = text;
		order.length = 0;
		poller.read();
		platform.advance(0);
		return order;
	};

	it("is told at the connection, before the reading", () => {
		expect(order).toEqual(["up", `configured ${SOCKET}`, "reading"]);
	});

	it("is told when BIRD has taken another one, before the reading, and once", () => {
		expect(read(LATER)).toEqual([`configured ${SOCKET}`, "reading"]);
		expect(read(LATER)).toEqual(["reading"]);
	});

	it("is not told otherwise: another time of the server, no answer about it, a refusal", () => {
		expect(read(STATUS.replace("server time is 2026", "server time is 2027"))).toEqual(["reading"]);
		expect(read("0013 Daemon is up and running\n")).toEqual(["reading"]);
		expect(read("8007 Access denied\n")).toEqual(["reading"]);
		expect(read(STATUS)).toEqual(["reading"]);
	});

	it("is told again by the next BIRD, whenever that was configured", () => {
		platform.running("birdcl")[0]?.end(0);
		platform.advance(0);
		order.length = 0;
		platform.advance(5000);
		expect(order).toEqual(["up", `configured ${SOCKET}`, "reading"]);
	});

	it("is not told by what is no answer of BIRD", () => {
		expect(read("nonsense\n")).toEqual(["lost"]);
	});
});
