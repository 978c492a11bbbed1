import { printable } from "../../lib/printable.ts";
import type { EventType, StoredEvent } from "../../model/event.ts";
import { type Color, paint, type TextOptions } from "./layout.ts";
import { formatUtc } from "./time.ts";

interface Wording {
	readonly words: string;
	readonly color?: Color;
}

const WORDINGS: Readonly<Record<EventType, Wording>> = {
	table_lost: { words: "table deleted", color: "red" },
	table_changed: { words: "table changed", color: "red" },
	table_restored: { words: "table restored", color: "green" },
	conntrack_flushed: { words: "conntrack flushed" },
	peer_up: { words: "peer up", color: "green" },
	peer_down: { words: "peer down", color: "red" },
	peer_nudged: { words: "peer nudged", color: "yellow" },
	connection_reset: { words: "connection reset", color: "yellow" },
	diagnosis_changed: { words: "diagnosis changed", color: "yellow" },
	service_restarted: { words: "service restarted" },
	bird_lost: { words: "BIRD lost", color: "red" },
	bird_back: { words: "BIRD back", color: "green" },
	command_done: { words: "command done" },
};

const WIDTH = Math.max(...Object.values(WORDINGS).map(({ words }) => words.length));

/** One line of events.jsonl, or undefined when it is none (cut off by a full disk, or not ours). */
export function parseEventLine(line: string): StoredEvent | undefined {
	try {
		// Details of a later version have any names, and perhaps values of other kinds, which are shown as they are.
		const details = Object.entries<unknown>(JSON.parse(line))
			.filter(([, value]) => value !== null)
			.map(([name, value]) => [name, isDetail(value) ? value : JSON.stringify(value)]);
		const event: StoredEvent = Object.setPrototypeOf(Object.fromEntries(details), null);
		return typeof event.event_type === "string" && typeof event.at === "string" ? event : undefined;
	} catch {
		return undefined;
	}
}

function isDetail(value: unknown): boolean {
	return typeof value === "string" || typeof value === "boolean" || Number.isFinite(value);
}

/** One event as one line, without its end: time in UTC, what happened, details. */
export function renderEvent(event: StoredEvent, options: TextOptions): string {
	const known: Wording | undefined = Object.hasOwn(WORDINGS, event.event_type)
		? WORDINGS[event.event_type as EventType]
		: undefined;
	const words = known?.words ?? printable(event.event_type.replaceAll("_", " "), 40);
	const time = formatUtc(event.at) ?? printable(event.at, 40);
	const details = describeDetails(event);
	const padding = details === "" ? "" : " ".repeat(Math.max(0, WIDTH - words.length) + 2);
	return `${paint(time, "dim", options)}  ${paint(words, known?.color, options)}${padding}${details}`;
}

/** Details with a place of their own in the line; the others follow as `name: value`. */
const PLACED = new Set([
	"event_type",
	"at",
	"peer",
	"name",
	"by",
	"described",
	"pid",
	"command",
	"parent",
	"milliseconds",
	"deleted",
	"left",
]);

function describeDetails(event: StoredEvent): string {
	const subject = event.peer ?? event.name;
	const parts = [subject === undefined ? "" : show(subject), describeActor(event)];
	if (event.milliseconds !== undefined) parts.push(`after ${show(event.milliseconds)} ms`);
	if (event.deleted !== undefined) parts.push(`${show(event.deleted)} deleted`);
	if (event.left !== undefined && event.left !== 0) parts.push(`${show(event.left)} left`);
	for (const [name, value] of Object.entries(event)) {
		if (PLACED.has(name) || value === undefined || value === null || value === "") continue;
		parts.push(`${printable(name.replaceAll("_", " "), 40)}: ${show(value)}`);
	}
	return parts.filter((part) => part !== "").join(", ");
}

/** `by nft (pid 4711, nft flush ruleset), started by /bin/sh /etc/init.d/firewall stop`. */
function describeActor({ by, described }: StoredEvent): string {
	const who = described ?? by;
	return who === undefined || who === null ? "" : `by ${show(who, 300)}`;
}

function show(value: string | number | boolean, limit = 160): string {
	return printable(typeof value === "string" ? value : JSON.stringify(value), limit);
}
