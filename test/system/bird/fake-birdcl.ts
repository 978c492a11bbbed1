import type { BirdReading } from "../../../src/model/bird.ts";
import { type BirdPoller, createBirdPoller } from "../../../src/system/bird/poller.ts";
import { FakePlatform, type Script } from "../../fakes/platform.ts";
import { fixture, takeApart } from "./transcript.ts";

export const SOCKET = "/var/run/bird.ctl";
export const captured = takeApart(fixture("bird-3.1.8-all.txt"));
export const expected = JSON.parse(fixture("bird-3.1.8-all.json"));

/** birdcl with these answers; one that is not there is never given. */
export function client(
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
