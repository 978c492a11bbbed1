import { concatenate, LineSplitter } from "../../lib/lines.ts";
import { decodeUtf8 } from "../../lib/utf8.ts";
import { describeExit } from "../../platform/supervise.ts";
import type { Child, Platform, Timer } from "../../platform/types.ts";
import { PROMPT } from "./replies.ts";

/** Milliseconds until an answer begins or goes on. */
const PATIENCE = 3000;
/** Milliseconds until it is complete. */
const WHOLE = 30_000;
/** Bytes of an answer, however many peers there are: each prints about 2,000; and of one line. */
const LIMIT = 64 << 20;
const LINE_LIMIT = 65_536;
const GREETING_LIMIT = 4096;

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

/** Who gets an answer, line by line. */
export interface LineTaker {
	/** @returns why this is no answer; undefined: go on */
	line(text: string): string | undefined;
	/**
	 * Takes as many lines as it can in one go: an answer about 1,000 peers has tens of thousands.
	 * @param text whole lines, each with its newline; the first of them begins `from`
	 * @returns where the first line begins that is left for `line`
	 */
	lines?(text: string, from: number): number;
	/** It is complete. */
	end(): void;
}

/** One client process that answers one command after another. */
export interface ClientProcess {
	/** Sends the next command; only when the answer to the one before has come. */
	ask(command: string, taker: LineTaker): void;
	close(): void;
}

/** Starts the client, restricted to reading. Nothing is called back before this has returned. */
export function startClient(platform: Platform, options: ClientProcessOptions): ClientProcess {
	const { client, socket } = options;
	const argv = [client, "-v", "-r", "-s", socket] as const;
	/** The beginning of a line that is not complete. */
	let rest: Uint8Array = new Uint8Array();
	let length = 0;
	/** The echo of the command comes before its answer. */
	let echo: string | undefined;
	/** birdc shows its prompt, takes it away again, and only then the answer comes. */
	let erased = true;
	let askedAt = platform.now().monotonic;
	let greeting = "";
	let taker: LineTaker | undefined = {
		line(text) {
			greeting += `${text}\n`;
			return greeting.length > GREETING_LIMIT ? `${client}: not BIRD's greeting` : undefined;
		},
		end: () => options.onGreeting(greeting),
	};
	let timer: Timer | undefined;
	let open = true;
	let lastWords = "";
	const complaints = new LineSplitter((line) => {
		lastWords = line.text.slice(0, 200);
	}, 1024);

	const close = () => {
		open = false;
		timer?.cancel();
		rest = new Uint8Array();
		// It holds nothing but a connection, and may be stuck: there is no reason to ask it.
		child?.kill("SIGKILL");
	};
	const end = (reason: string, missing = false) => {
		if (!open) return;
		close();
		options.onEnd({ reason, missing });
	};
	const wait = () => {
		timer?.cancel();
		timer = platform.after(PATIENCE, () => end(`${client}: no answer in ${PATIENCE / 1000} s`));
	};
	/** Without birdc's prompts that were taken away. */
	const plain = (text: string) => {
		if (client !== "birdc" || !text.startsWith(PROMPT)) return text;
		const left = text.replaceAll(ERASED[0], "").replaceAll(ERASED[1], "");
		erased ||= left.length < text.length;
		return left;
	};
	const take = (line: string) => {
		const text = plain(line);
		if (text === echo) {
			echo = undefined;
			return;
		}
		echo = undefined;
		const complaint = taker?.line(text);
		if (complaint !== undefined) end(complaint);
	};
	const consume = (chunk: Uint8Array) => {
		if (!open) return;
		if (!taker) {
			// birdcl repeats its prompt after a signal, SIGCONT for one.
			if (decodeUtf8(chunk) !== PROMPT) end(`${client}: unexpected output`);
			return;
		}
		wait();
		if (platform.now().monotonic - askedAt > WHOLE)
			return end(`${client}: an answer that has no end after ${WHOLE / 1000} s`);
		length += chunk.length;
		if (length > LIMIT) return end(`${client}: an answer of more than ${LIMIT >> 20} MiB`);
		const whole = rest.length === 0 ? chunk : concatenate([rest, chunk]);
		const last = whole.lastIndexOf(NEWLINE);
		rest = whole.subarray(last + 1);
		if (rest.length > LINE_LIMIT) return end(`${client}: a line of more than ${LINE_LIMIT >> 10} kB`);
		if (last >= 0) {
			const text = decodeUtf8(whole.subarray(0, last + 1));
			for (let at = 0; at < text.length; ) {
				if (echo === undefined) at = taker.lines?.(text, at) ?? at;
				if (at === text.length) break;
				const newline = text.indexOf("\n", at);
				take(text.slice(at, newline));
				if (!open) return;
				at = newline + 1;
			}
		}
		// The prompt begins a line; a line that ends like it is a part of the answer.
		if (rest.length > PROMPT_LIMIT || plain(decodeUtf8(rest)) !== PROMPT || !erased) return;
		timer?.cancel();
		const done = taker;
		taker = undefined;
		rest = new Uint8Array();
		length = 0;
		done.end();
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
		ask(next, asked) {
			if (!open || taker) return;
			echo = next;
			askedAt = platform.now().monotonic;
			erased = client !== "birdc";
			taker = asked;
			child?.write(`${next}\n`);
			wait();
		},
		close,
	};
}

/** How readline takes its prompt away: with a terminal's clear-to-end, or, for a dumb one, with spaces. */
const ERASED = [`${PROMPT}\r\u001b[K`, `${PROMPT}\r      \r`] as const;
/** Bytes of a prompt with all that birdc writes around it. */
const PROMPT_LIMIT = 64;
const NEWLINE = 0x0a;
