import { decodeUtf8 } from "../../src/lib/utf8.ts";
import type { ExitStatus, Platform, SpawnOptions } from "../../src/platform/types.ts";

/** @throws Error naming what differed: the contract runs under qjs, where no assertion library does */
export function equal(actual: unknown, expected: unknown, what: string): void {
	const [got, wanted] = [JSON.stringify(actual), JSON.stringify(expected)];
	if (got !== wanted) throw new Error(`${what}: got ${got}, expected ${wanted}`);
}

export function holds(condition: boolean, what: string): void {
	if (!condition) throw new Error(what);
}

/** The error that an action throws, as text; fails when it throws none. */
export function failureOf(action: () => unknown): string {
	try {
		action();
	} catch (error) {
		return (error as Error).message;
	}
	throw new Error("no error was thrown");
}

export const pause = (platform: Platform, milliseconds: number): Promise<void> =>
	new Promise((resolve) => platform.after(milliseconds, resolve));

/** Waits for a condition, at most 5 s. */
export async function until(platform: Platform, what: string, condition: () => boolean): Promise<void> {
	for (let tries = 0; tries < 500; tries++) {
		if (condition()) return;
		await pause(platform, 10);
	}
	throw new Error(`${what}: not within 5 s`);
}

export interface Outcome {
	readonly status: ExitStatus;
	readonly stdout: string;
	readonly stderr: string;
}

/** Runs a child to its end. */
export function outcome(
	platform: Platform,
	argv: SpawnOptions["argv"],
	input?: string | Uint8Array,
): Promise<Outcome> {
	return new Promise((resolve) => {
		let stdout = "";
		let stderr = "";
		const child = platform.spawn({
			argv,
			stdin: input !== undefined,
			onStdout: (chunk) => {
				stdout += decodeUtf8(chunk);
			},
			onStderr: (chunk) => {
				stderr += decodeUtf8(chunk);
			},
			onExit: (status) => resolve({ status, stdout, stderr }),
		});
		if (input !== undefined) {
			child.write(input);
			child.closeStdin();
		}
	});
}

/** A fresh directory of this run's own. */
export async function scratch(platform: Platform): Promise<string> {
	const { stdout } = await outcome(platform, ["mktemp", "-d"]);
	return stdout.trim();
}
