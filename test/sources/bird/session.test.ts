import { beforeEach, describe, expect, it } from "vitest";
import { type BirdSession, createBirdSession } from "../../../src/sources/bird/session.ts";
import type { BirdReading } from "../../../src/sources/bird/types.ts";
import { FakePlatform, type Script } from "../../fakes/platform.ts";
import { fixture, takeApart, withoutTimes } from "./transcript.ts";

const SOCKET = "/var/run/bird.ctl";
const captured = takeApart(fixture("bird-3.1.8-all.txt"));
const expected = JSON.parse(fixture("bird-3.1.8-all.json"));

let platform: FakePlatform;
let session: BirdSession;
/** What the session said, in order; a reading as `reading`. */
let said: string[];
let readings: BirdReading[];

function create(socket = ""): void {
	session = createBirdSession(platform, {
		socket,
		onUp: (version) => said.push(`up ${version}`),
		onLost: (reason) => said.push(`lost: ${reason}`),
		onReading: (reading) => {
			said.push("reading");
			readings.push(reading);
		},
	});
}

/** birdcl with these answers; one that is not there is never given. */
function client(
	answers: ReadonlyMap<string, string> = captured.answers,
	greeting = captured.greeting,
): Script {
	return (child) => {
		child.out(`${greeting}bird> `);
		child.onWritten((text) => {
			const answer = answers.get(text.trim());
			if (answer !== undefined) child.out(`${text}${answer}bird> `);
		});
	};
}

function without(command: string): Map<string, string> {
	return new Map([...captured.answers].filter(([each]) => each !== command));
}

function instead(command: string, answer: string): Map<string, string> {
	return new Map([...captured.answers, [command, answer]]);
}

/** Commands that the clients were given. */
function commands(): string[] {
	return platform.children.flatMap((child) => child.written.split("\n").filter((line) => line !== ""));
}

beforeEach(() => {
	platform = new FakePlatform();
	platform.files.setSocket(SOCKET);
	platform.program("birdcl", client());
	said = [];
	readings = [];
	create();
});

describe("a session that works", () => {
	it("reads once by itself, in one process that may only read", () => {
		session.start();
		platform.advance(0);
		expect(said).toEqual(["up 3.1.8", "reading"]);
		expect(withoutTimes(readings[0])).toEqual(expected);
		expect(platform.children.map((child) => child.argv)).toEqual([["birdcl", "-v", "-r", "-s", SOCKET]]);
		expect(commands()).toEqual(['timeformat "%s.%3f"', "show protocols all", "show bfd sessions all"]);
	});

	it("writes a command only when the one before was answered", () => {
		platform.program("birdcl", client(without("show protocols all")));
		session.start();
		platform.advance(10);
		expect(commands().at(-1)).toBe("show protocols all");
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

	it("asks a BIRD before 2.15 in its own words", () => {
		const old = takeApart(fixture("bird-2.0.7-synthetic-all.txt"));
		const answers = new Map([...old.answers, ['timeformat "%s.%3f"', "9001 syntax error\n"]]);
		platform.program("birdcl", client(answers, old.greeting));
		session.start();
		platform.advance(0);
		session.read();
		platform.advance(0);
		expect(withoutTimes(readings[1])).toEqual(JSON.parse(fixture("bird-2.0.7-synthetic-all.json")));
		expect(commands().filter((command) => command === "show bfd sessions all")).toHaveLength(1);
	});

	it("leaves BFD open when BIRD refuses to tell it", () => {
		const refusal = "9001 There are multiple BFD protocols running\n";
		const answers = instead("show bfd sessions all", refusal).set("show bfd sessions", refusal);
		platform.program("birdcl", client(answers));
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
		create("/tmp/own.ctl");
		session.start();
		expect(said.at(-1)).toBe("lost: BIRD does not run: no socket at /tmp/own.ctl");
		platform.files.setSocket("/tmp/own.ctl");
		platform.advance(1000);
		expect(platform.children.at(-1)?.argv.at(-1)).toBe("/tmp/own.ctl");
	});
});

describe("birdc, where there is no birdcl", () => {
	it.each([
		["3.1.8", "dumb", "\r      \r"],
		["3.1.8", "xterm", "\r\u001b[K"],
		["2.17.6", "dumb", "\r      \r"],
		["2.17.6", "xterm", "\r\u001b[K"],
	])("is read through the prompts it takes away again (%s, %s)", (version, terminal, erase) => {
		const parts = fixture(`bird-${version}-birdc-${terminal}.txt`).split(`bird> ${erase}`);
		const [start = "", protocols = "", bfd = ""] = parts.map((part) => part.replace(/^bird> .*\n/m, ""));
		platform.program("birdcl", undefined);
		platform.program("birdc", (child) => {
			child.out(`${start}bird> `);
			child.onWritten((text) => {
				const answer = text.includes("protocols") ? protocols : text.includes("bfd") ? bfd : "";
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
	});

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

describe("a BIRD that cannot be asked", () => {
	it("costs no process while it has no socket, and is met within a second", () => {
		platform.files.remove(SOCKET);
		session.start();
		platform.advance(600_000);
		expect(platform.children).toHaveLength(0);
		expect(said).toEqual([
			`lost: BIRD does not run: no socket at ${SOCKET}, /run/bird/bird.ctl, /run/bird.ctl`,
		]);
		platform.files.setSocket(SOCKET);
		platform.advance(1000);
		expect(said.slice(1)).toEqual(["up 3.1.8", "reading"]);
	});

	it("is lost when it stops, and back when it has made its socket anew", () => {
		session.start();
		platform.advance(0);
		platform.files.remove(SOCKET);
		const [child] = platform.children;
		child?.err("Connection closed by server\n");
		child?.end(1);
		platform.advance(5000);
		expect(said.slice(2)).toEqual(["lost: birdcl: Connection closed by server"]);
		platform.files.setSocket(SOCKET);
		platform.advance(1000);
		expect(said.slice(3)).toEqual(["up 3.1.8", "reading"]);
	});

	it("is asked ever more seldom over a socket that a crash left behind, and at once over a new one", () => {
		platform.program("birdcl", (child) => {
			child.err(`Unable to connect to server control socket (${SOCKET}): Connection refused\n`);
			child.end(1);
		});
		session.start();
		platform.advance(300_000);
		expect(said).toEqual([
			`lost: birdcl: Unable to connect to server control socket (${SOCKET}): Connection refused`,
		]);
		// 1, 2, 4, 8, 16 s, then each 30 s.
		expect(platform.children.length).toBeGreaterThanOrEqual(14);
		expect(platform.children.length).toBeLessThanOrEqual(15);
		platform.program("birdcl", client());
		platform.files.setSocket(SOCKET);
		platform.advance(1000);
		expect(said.slice(1)).toEqual(["up 3.1.8", "reading"]);
	});

	it.each([
		["the greeting", () => (): void => {}],
		["show protocols all", () => client(without("show protocols all"))],
		["show bfd sessions all", () => client(without("show bfd sessions all"))],
	])("is killed after 3 s without an answer to %s", (_, script) => {
		platform.program("birdcl", script());
		session.start();
		platform.advance(2999);
		expect(said).toEqual([]);
		platform.advance(1);
		expect(said).toEqual(["lost: birdcl: no answer in 3 s"]);
		expect(platform.children[0]?.signals).toEqual(["SIGKILL"]);
		platform.program("birdcl", client());
		platform.advance(2000);
		expect(said.slice(1)).toEqual(["up 3.1.8", "reading"]);
		expect(platform.running("birdcl")).toHaveLength(1);
	});

	it("is given up even when the client cannot be killed", () => {
		platform.program("birdcl", (child) => {
			child.mortal = false;
		});
		session.start();
		platform.advance(3000);
		platform.program("birdcl", client());
		platform.advance(2000);
		expect(said).toEqual(["lost: birdcl: no answer in 3 s", "up 3.1.8", "reading"]);
		platform.children[0]?.out("late\n");
		platform.children[0]?.end(1);
		platform.advance(1000);
		expect(said).toHaveLength(3);
	});
});

describe("an answer that is none", () => {
	const protocols = captured.answers.get("show protocols all") ?? "";

	it.each([
		["garbage", "\u0000\u0001 rubbish\n"],
		["an answer cut in the middle of a peer", protocols.slice(0, protocols.indexOf("Local AS"))],
		["an error", "8007 Access denied\n"],
	])("is one reason and a new session: %s", (_, answer) => {
		const answers = new Map(captured.answers);
		platform.program("birdcl", client(answers));
		session.start();
		platform.advance(0);
		answers.set("show protocols all", answer);
		session.read();
		platform.advance(3000);
		expect(said.slice(0, 2)).toEqual(["up 3.1.8", "reading"]);
		expect(said.slice(2)).toEqual([
			expect.stringMatching(/^lost: (BIRD: show protocols all: |birdcl: no answer)/),
		]);
		answers.set("show protocols all", protocols);
		platform.advance(10_000);
		expect(said.slice(3)).toEqual(["up 3.1.8", "reading"]);
		expect(platform.running("birdcl")).toHaveLength(1);
	});

	it.each([
		["rubbish\n", 'lost: BIRD: show protocols all: not an answer: "rubbish"'],
		["8007 Access denied\n", "lost: BIRD: show protocols all: Access denied"],
	])("names the command and what came: %j", (answer, reason) => {
		platform.program("birdcl", client(instead("show protocols all", answer)));
		session.start();
		platform.advance(100_000);
		expect(said).toEqual([reason]);
	});

	it("is no greeting of BIRD", () => {
		platform.program("birdcl", client(captured.answers, "220 ftp\n"));
		session.start();
		platform.advance(0);
		expect(said).toEqual([`lost: birdcl: not BIRD's greeting: "220 ftp"`]);
	});

	it("is not kept beyond 1 MiB", () => {
		platform.program("birdcl", (child) => {
			child.out(`${captured.greeting}bird> `);
			child.onWritten(() => {
				for (let count = 0; count < 160; count++) child.out("x".repeat(65_536));
			});
		});
		session.start();
		platform.advance(0);
		expect(said).toEqual(["lost: birdcl: an answer of more than 1 MiB"]);
		expect(platform.running("birdcl")).toHaveLength(0);
	});

	it("is not taken from a client that nobody asked", () => {
		session.start();
		platform.advance(0);
		platform.children[0]?.out("bird> ");
		platform.advance(0);
		expect(said).toHaveLength(2);
		platform.children[0]?.out("surprise\n");
		platform.advance(0);
		expect(said.slice(2)).toEqual(["lost: birdcl: unasked output"]);
	});
});

describe("stop", () => {
	it("ends the client, all timers and all reports", () => {
		session.start();
		platform.advance(0);
		session.read();
		session.stop();
		platform.advance(100_000);
		expect(said).toEqual(["up 3.1.8", "reading"]);
		expect(platform.running("birdcl")).toHaveLength(0);
		expect(platform.pendingTimers).toBe(0);
	});

	it("ends the waiting for BIRD", () => {
		platform.files.remove(SOCKET);
		session.start();
		session.stop();
		expect(platform.pendingTimers).toBe(0);
	});
});
