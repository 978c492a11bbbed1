import { beforeEach, describe, expect, it } from "vitest";
import type { BirdPoller } from "../../../src/system/bird/poller.ts";
import { USUAL_SOCKETS } from "../../../src/system/bird/socket.ts";
import type { FakePlatform } from "../../fakes/platform.ts";
import { Bench, captured, client, instead, SOCKET, without } from "./fake-birdcl.ts";

let platform: FakePlatform;
let session: BirdPoller;
let said: string[];

beforeEach(() => {
	({ platform, session, said } = new Bench());
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
		expect(said.slice(2)).toEqual([
			"lost: birdcl: Connection closed by server",
			`lost: BIRD does not run: no socket at ${USUAL_SOCKETS.join(", ")}`,
		]);
		platform.files.setSocket(SOCKET);
		platform.advance(1000);
		expect(said.slice(4)).toEqual(["up 3.1.8", "reading"]);
	});

	it("is asked ever more seldom over a socket that a crash left behind, and at once over a new one", () => {
		platform.program("birdcl", (child) => {
			child.err(`Unable to connect to server control socket (${SOCKET}): Connection refused\n`);
			child.end(1);
		});
		session.start();
		platform.advance(280_000);
		expect(said).toEqual([
			`lost: birdcl: Unable to connect to server control socket (${SOCKET}): Connection refused`,
		]);
		// 1, 2 s, then each 4 s.
		expect(platform.children).toHaveLength(72);
		platform.program("birdcl", client());
		platform.files.setSocket(SOCKET);
		platform.advance(1000);
		expect(said.slice(1)).toEqual(["up 3.1.8", "reading"]);
	});

	it("is asked again within 2 s when it was well before", () => {
		platform.program("birdcl", (child) => child.end(1));
		session.start();
		platform.advance(60_000);
		platform.program("birdcl", client());
		platform.advance(60_000);
		expect(said.at(-1)).toBe("reading");
		platform.running("birdcl")[0]?.end(1);
		platform.advance(2000);
		expect(said.slice(-3)).toEqual(["lost: birdcl: exit 1", "up 3.1.8", "reading"]);
	});

	it.each([
		["the greeting", () => (): void => {}],
		["show protocols all", () => client(without("show protocols all"))],
		["show bfd sessions", () => client(without("show bfd sessions"))],
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

	it("is not kept beyond a line of 64 kB", () => {
		platform.program("birdcl", (child) => {
			child.out(`${captured.greeting}bird> `);
			child.onWritten(() => {
				for (let count = 0; count < 160; count++) child.out("x".repeat(65_536));
			});
		});
		session.start();
		platform.advance(0);
		expect(said).toEqual(["lost: birdcl: a line of more than 64 kB"]);
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
		expect(said.slice(2)).toEqual(["lost: birdcl: unexpected output"]);
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
