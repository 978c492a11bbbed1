import type { Command } from "../../model/command.ts";
import type { Platform, Timer } from "../../platform/types.ts";
import { type Control, openControl } from "./fifo.ts";
import type { Reply } from "./request.ts";

/** Milliseconds until the control FIFO is tried again, for a run directory that cannot be written. */
const RETRY = 5000;

export interface KeepControlOptions {
	/** The run directory. */
	readonly directory: string;
	readonly onCommand: (command: Command) => void;
	/** Why requests cannot be received; undefined: they can. */
	readonly onProblem: (text: string | undefined) => void;
	/** One line that is worth a warning. */
	readonly onWarning: (text: string) => void;
}

/** The control FIFO, opened again for as long as it takes. */
export interface ControlKeeper {
	start(): void;
	stop(): void;
	reply(id: string, reply: Reply): void;
	/** Looks whether the FIFO can still be reached by its name, and makes it anew if not. Starts no process otherwise. */
	check(): void;
}

export function keepControl(platform: Platform, options: KeepControlOptions): ControlKeeper {
	let control: Control | undefined;
	let retry: Timer | undefined;
	let stopped = false;
	let isFirst = true;

	const open = async () => {
		try {
			const opened = await openControl(platform, {
				directory: options.directory,
				isFirst,
				onCommand: options.onCommand,
				onGarbage: (line) => options.onWarning(`control: invalid request: ${line}`),
			});
			if (stopped) return opened.close();
			control = opened;
			isFirst = false;
			options.onProblem(undefined);
		} catch (error) {
			if (stopped) return;
			options.onProblem(`cannot receive requests: ${words(error)}`);
			retry = platform.after(RETRY, () => void open());
		}
	};

	return {
		start: () => void open(),
		stop() {
			stopped = true;
			retry?.cancel();
			control?.close();
		},
		reply(id, reply) {
			try {
				control?.reply(id, reply);
			} catch (error) {
				// Who asked may have gone, and the directory with it.
				options.onWarning(`cannot reply to a request: ${words(error)}`);
			}
		},
		check() {
			if (!control || control.isIntact) return;
			control.close();
			control = undefined;
			options.onWarning(`${options.directory}: the control FIFO was removed or replaced; making it again`);
			void open();
		},
	};
}

function words(error: unknown): string {
	return error instanceof Error ? error.message : String(error);
}
