import { concatenate, LineSplitter } from "../../lib/lines.ts";
import { decodeUtf8 } from "../../lib/utf8.ts";
import { describeExit } from "../../platform/supervise.ts";
import type { Child, Platform, Timer } from "../../platform/types.ts";
import { PROMPT } from "./replies.ts";

/** Milliseconds an answer may take. */
const PATIENCE = 3000;
/** Bytes an answer may have; a peer prints about 2,000. */
const LIMIT = 1 << 20;

/** `birdcl` reads plainly; `birdc` edits lines and is there where only it was installed. */
export type Client = "birdcl" | "birdc";

export interface ClientProcessOptions {
	readonly client: Client;
	/** Path of the control socket. */
	readonly socket: string;
	/** The client waits for the first command; all it has printed before. */
	readonly onGreeting: (greeting: string) => void;
	/** Called once, when nothing can be asked any more; not after `close`. */
	readonly onEnd: (end: { readonly reason: string; readonly missing: boolean }) => void;
}

/** One client process that answers one command after another. */
export interface ClientProcess {
	/** Sends the next command; only when the answer to the one before has come. */
	ask(command: string, onAnswer: (answer: string) => void): void;
	close(): void;
}

/** Starts the client, restricted to reading. Nothing is called back before this has returned. */
export function startClient(platform: Platform, options: ClientProcessOptions): ClientProcess {
	const { client, socket } = options;
	const argv = [client, "-v", "-r", "-s", socket] as const;
	let pieces: Uint8Array[] = [];
	let length = 0;
	let command: string | undefined;
	let deliver: ((answer: string) => void) | undefined = options.onGreeting;
	let timer: Timer | undefined;
	let open = true;
	let lastWords = "";
	const complaints = new LineSplitter((line) => {
		lastWords = line.text.slice(0, 200);
	}, 1024);

	const close = () => {
		open = false;
		timer?.cancel();
		pieces = [];
		// It holds nothing but a connection, and may be stuck: there is no reason to ask it.
		child?.kill("SIGKILL");
	};
	const end = (reason: string, missing = false) => {
		if (!open) return;
		close();
		options.onEnd({ reason, missing });
	};
	const wait = () => {
		timer = platform.after(PATIENCE, () => end(`${client}: no answer in ${PATIENCE / 1000} s`));
	};
	const consume = (chunk: Uint8Array) => {
		if (!open) return;
		if (!deliver) {
			// birdcl repeats its prompt after a signal, SIGCONT for one.
			if (decodeUtf8(chunk) !== PROMPT) end(`${client}: unexpected output`);
			return;
		}
		length += chunk.length;
		if (length > LIMIT) return end(`${client}: an answer of more than ${LIMIT >> 20} MiB`);
		pieces.push(chunk);
		if (!endsInPrompt(pieces)) return;
		const answer = cutAnswer(decodeUtf8(concatenate(pieces)), client, command);
		if (answer === undefined) return;
		timer?.cancel();
		const done = deliver;
		deliver = undefined;
		pieces = [];
		length = 0;
		done(answer);
	};

	let child: Child | undefined;
	try {
		child = platform.spawn({
			argv,
			stdin: true,
			onStdout: consume,
			onStderr: (chunk) => complaints.push(chunk),
			onExit: (status) => {
				const missing = "code" in status && status.code === 127;
				end(
					missing || lastWords === "" ? describeExit([client], status) : `${client}: ${lastWords}`,
					missing,
				);
			},
		});
		wait();
	} catch (error) {
		const reason = error instanceof Error ? error.message : String(error);
		timer = platform.after(0, () => end(reason));
	}
	return {
		ask(next, onAnswer) {
			if (!open || deliver) return;
			command = next;
			deliver = onAnswer;
			child?.write(`${next}\n`);
			wait();
		},
		close,
	};
}

/** A look at the last bytes only, so that a long answer is not put together for each of its chunks. */
function endsInPrompt(pieces: readonly Uint8Array[]): boolean {
	let expected = PROMPT.length - 1;
	for (let piece = pieces.length - 1; piece >= 0 && expected >= 0; piece--) {
		const bytes = pieces[piece] ?? new Uint8Array();
		for (let at = bytes.length - 1; at >= 0 && expected >= 0; at--, expected--) {
			if (bytes[at] !== PROMPT.charCodeAt(expected)) return false;
		}
	}
	return expected < 0;
}

/** How readline takes its prompt away: with a terminal's clear-to-end, or, for a dumb one, with spaces. */
const ERASED = [`${PROMPT}\r\u001b[K`, `${PROMPT}\r      \r`] as const;

/**
 * What stands between the command's echo and the prompt at the end.
 * @param command undefined: this is the greeting
 * @returns undefined: the end is not there yet
 */
function cutAnswer(text: string, client: Client, command: string | undefined): string | undefined {
	// After each command birdc shows the prompt, takes it away again, and only then the answer comes.
	const plain = client === "birdc" ? text.replaceAll(ERASED[0], "").replaceAll(ERASED[1], "") : text;
	if (client === "birdc" && command !== undefined && plain.length === text.length) return undefined;
	if (!plain.endsWith(PROMPT)) return undefined;
	const answer = plain.slice(0, -PROMPT.length);
	// The prompt begins a line; a line that ends like it is a part of the answer.
	if (answer !== "" && !answer.endsWith("\n")) return undefined;
	const echo = `${command}\n`;
	return command !== undefined && answer.startsWith(echo) ? answer.slice(echo.length) : answer;
}
