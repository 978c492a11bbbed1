import { LineSplitter } from "../lib/lines.ts";
import { encodeUtf8 } from "../lib/utf8.ts";
import type { Platform } from "../platform/types.ts";
import { EVENTS_FILE } from "../report/run-files.ts";
import { FINE, type Paths, textOptions } from "./context.ts";
import { parseEventLine, renderEvent } from "./text/event-lines.ts";

/** Milliseconds between checks of the events file's size. */
const FOLLOW_PERIOD = 500;
const EVENTS_LIMIT = 4 << 20;

/** `events`: what the file holds, also without a daemon; with `follow` it goes on until interrupted. */
export function events(platform: Platform, paths: Paths, follow: boolean): number | undefined {
	const path = `${paths.runDirectory}/${EVENTS_FILE}`;
	const options = textOptions(platform);
	let shown = "";
	const show = () => {
		const text = platform.files.status(path) ? platform.files.read(path, EVENTS_LIMIT) : "";
		// The file only grows, except when its beginning is cut off: then the last line shown is looked for.
		const from = text.startsWith(shown) ? shown.length : afterLastLine(text, shown);
		const splitter = new LineSplitter(({ text: line }) => {
			const event = parseEventLine(line);
			if (event) platform.print("stdout", `${renderEvent(event, options)}\n`);
		});
		splitter.push(encodeUtf8(text.slice(from)));
		shown = text.slice(0, text.lastIndexOf("\n") + 1);
	};
	// Before it is read: what is written in between is shown with the next look.
	let size = platform.files.status(path)?.size;
	show();
	if (!follow) return FINE;
	const poll = () => {
		const now = platform.files.status(path)?.size;
		if (now !== size) show();
		size = now;
		platform.after(FOLLOW_PERIOD, poll);
	};
	poll();
	return undefined;
}

function afterLastLine(text: string, shown: string): number {
	const last = shown.slice(shown.lastIndexOf("\n", shown.length - 2) + 1);
	const at = last === "" ? -1 : text.lastIndexOf(last);
	return at < 0 ? 0 : at + last.length;
}
