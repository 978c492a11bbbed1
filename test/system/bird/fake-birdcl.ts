import type { BirdReading } from "../../../src/model/bird.ts";
import { type BirdPoller, createBirdPoller } from "../../../src/system/bird/poller.ts";
import { FakePlatform, type Script } from "../../fakes/platform.ts";
import { fixture, captured as transcriptOf } from "./transcript.ts";

export const SOCKET = "/var/run/bird.ctl";
/** `show status` of BIRD 3.1.8; the captures of whole sessions are older than the question. */
export const STATUS = `1000-BIRD 3.1.8
1011-Router ID is 192.168.1.1
     Hostname is router
     Current server time is 2026-11-27 10:00:00.000
     Last reboot on 2026-11-27 09:00:00.000
     Last reconfiguration on 2026-11-27 09:00:00.000
0013 Daemon is up and running
`;

const REFUSED = "9001 syntax error\n";

const session = transcriptOf("bird-3.1.8-all");
export const expected = JSON.parse(fixture("bird-3.1.8-all.json"));
export const askRoutes = (name: string) => `show route where dest = RTD_UNREACHABLE protocol '${name}' count`;
/** The peers with routes, which the captures were not asked about either. */
export const HOLDERS = ["waukeen", "link-local.6", "far6", "node01"];
export const captured = {
	...session,
	answers: new Map([
		...session.answers,
		["show status", STATUS],
		...HOLDERS.map((name) => [askRoutes(name), REFUSED] as const),
	]),
};

/** birdcl with these answers; one that is not there is never given. */
export function client(
	answers: ReadonlyMap<string, string> = captured.answers,
	greeting = captured.greeting,
): Script {
	return (child) => {
		child.out(`${greeting}bird> `);
		child.onWritten((text) => {
			const usual = text === "show status\n" ? STATUS : /^show route /.test(text) ? REFUSED : undefined;
			const answer = answers.get(text.trim()) ?? usual;
			if (answer !== undefined) child.out(`${text}${answer}bird> `);
		});
	};
}

export function without(command: string): Map<string, string> {
	return new Map([...captured.answers].filter(([each]) => each !== command));
}

export function instead(command: string, answer: string): Map<string, string> {
	return new Map([...captured.answers, [command, answer]]);
}

/** A router with BIRD and birdcl, and what its session says. */
export class Bench {
	readonly platform = new FakePlatform();
	/** What the session said, in order; a reading as `reading`. */
	readonly said: string[] = [];
	readonly readings: BirdReading[] = [];
	/** Control sockets of BIRDs that were found with another configuration. */
	readonly configured: string[] = [];
	readonly session: BirdPoller;

	constructor() {
		this.platform.files.setSocket(SOCKET);
		this.platform.program("birdcl", client());
		this.session = this.createSession("");
	}

	createSession(socket: string): BirdPoller {
		return createBirdPoller(this.platform, {
			socket,
			onUp: (version) => this.said.push(`up ${version}`),
			onLost: (reason) => this.said.push(`lost: ${reason}`),
			onConfigured: (path) => this.configured.push(path),
			onReading: (reading) => {
				this.said.push("reading");
				this.readings.push(reading);
			},
		});
	}

	/** Commands that the clients were given. */
	commands(): string[] {
		return this.platform.children.flatMap((child) => child.written.split("\n").filter((line) => line !== ""));
	}
}
