import { Alarm } from "../../platform/alarm.ts";
import type { Platform, Timer } from "../../platform/types.ts";
import type { Content } from "../payloads.ts";
import { PROBE, type Topics } from "../topics.ts";
import type { MqttLink } from "./link.ts";
import { describeMessage, size } from "./refused-messages.ts";

/** Milliseconds after which the broker is asked for what it was given, and asked again for what it did not give back. */
const SOON = 10_000;
const AGAIN = 600_000;
/** Milliseconds without a message after which nothing more comes, and the limit of the whole. */
const QUIET = 1000;
const LIMIT = 5000;
/** Topics asked for at once: each is a subscription, and up to 4 kB. */
const BATCH = 32;
/** A payload is looked at again only when it is longer by about this many characters. */
const STEP = 512;

/**
 * Makes sure that the broker keeps what it acknowledges. Mosquitto acknowledges a message above its `message_size_limit`, or
 * against its access list, and drops it: Home Assistant would never see the device, and nobody would say so.
 */
export class KeptMessages {
	/** How long the payload was that the broker gave back on this connection. */
	private readonly kept = new Map<string, number>();
	/** Topics that were not given back: once, again though others of their kind were, or where nothing can be read. */
	private readonly missing = new Map<string, "once" | "dropped" | "unknown">();
	private wanted: ReadonlyMap<string, Content> = new Map();
	private readonly next: Alarm;
	private limit: Timer | undefined;
	private quiet: Timer | undefined;
	/** What is asked for now: payloads as they were then, and as they came. */
	private asked: ReadonlyMap<string, Content> | undefined;
	private readonly came = new Map<string, Set<string>>();
	/** Discovery can be read: what was published beside it came back. */
	private readable = false;
	private finish: () => void = () => {};

	constructor(
		private readonly platform: Platform,
		private readonly topics: Topics,
		private readonly link: () => MqttLink,
		private readonly onChange: () => void,
	) {
		this.next = new Alarm(platform, () => this.ask());
	}

	/** Everything is asked for once more, soon. */
	retry(): void {
		this.kept.clear();
		if (this.next.isSet) this.next.within(SOON);
	}

	/** Everything of this was sent. */
	sent(wanted: ReadonlyMap<string, Content>): void {
		this.wanted = wanted;
		for (const topic of [...this.missing.keys()]) if (!wanted.has(topic)) this.missing.delete(topic);
		if (!this.asked && this.due().some(([topic]) => !this.missing.has(topic))) this.next.within(SOON);
	}

	receive(topic: string, payload: string): void {
		if (!this.asked) return;
		if (topic === this.topics.probe) this.readable = true;
		else if (this.asked.has(topic)) this.came.set(topic, (this.came.get(topic) ?? new Set()).add(payload));
		else return;
		if (this.quiet) this.stillQuiet();
	}

	/** The connection is lost. */
	stop(): void {
		this.idle();
		this.kept.clear();
		this.readable = false;
	}

	/** What the broker acknowledged and does not keep, as one line; undefined: nothing. */
	get problem(): string | undefined {
		const dropped = [...this.missing].filter(([, how]) => how === "dropped").map(([topic]) => topic);
		const [first] = dropped;
		if (first === undefined) return undefined;
		const message = describeMessage(first, size(this.wanted.get(first)?.text() ?? ""));
		const more = dropped.length > 1 ? ` and ${dropped.length - 1} more` : "";
		return `the broker acknowledges ${message}${more} and drops it: see its limit of size and its access list`;
	}

	private due(): [topic: string, content: Content][] {
		// The key of a state is its text; what other keys stand for changes with the version alone.
		const isDue = ([topic, { key }]: [string, Content]) => key.length > (this.kept.get(topic) ?? -1);
		const due = [...this.wanted].filter(isDue);
		const isNew = ([topic]: [string, Content]) => !this.missing.has(topic);
		return [...due.filter(isNew), ...due.filter((message) => !isNew(message))].slice(0, BATCH);
	}

	private ask(): void {
		const { topics } = this;
		this.asked = new Map(this.due());
		this.came.clear();
		const probing = [...this.asked.keys()].some(
			(topic) => topics.isDiscovery(topic) && this.missing.has(topic),
		);
		const filters = [...this.asked.keys(), ...(probing ? [topics.probe] : [])];
		this.finish = () => {
			this.link().unsubscribe(filters.filter((topic) => topic !== topics.availability));
			this.judge();
		};
		this.limit = this.platform.after(LIMIT, () => this.finish());
		this.link().subscribe(filters, () => {
			if (!this.asked) return;
			if (probing) this.link().publish(topics.probe, PROBE, { retain: false });
			this.stillQuiet();
		});
	}

	private stillQuiet(): void {
		this.quiet?.cancel();
		this.quiet = this.platform.after(QUIET, () => this.finish());
	}

	private judge(): void {
		const asked = this.asked ?? new Map<string, Content>();
		this.idle();
		let wait = SOON;
		for (const [topic, content] of asked) {
			const came = this.came.get(topic);
			if (came?.has(content.text()) || came?.has((this.wanted.get(topic) ?? content).text())) {
				this.kept.set(topic, Math.ceil(content.key.length / STEP) * STEP);
				this.missing.delete(topic);
			} else this.kept.delete(topic);
		}
		const lost = [...asked.keys()].filter((topic) => !this.kept.has(topic));
		for (const topic of lost) {
			if (this.missing.has(topic)) wait = AGAIN;
			this.missing.set(
				topic,
				this.missing.has(topic) ? (this.mayRead(topic) ? "dropped" : "unknown") : "once",
			);
		}
		if (lost.some((topic) => this.missing.get(topic) === "once")) wait = SOON;
		if (this.due().length > 0) this.next.within(wait);
		this.onChange();
	}

	/** What this user of the broker may not read says nothing. */
	private mayRead(topic: string): boolean {
		const discovery = this.topics.isDiscovery(topic);
		if (discovery && this.readable) return true;
		return [...this.kept.keys()].some((each) => this.topics.isDiscovery(each) === discovery);
	}

	private idle(): void {
		for (const timer of [this.limit, this.quiet]) timer?.cancel();
		this.next.set(undefined);
		this.quiet = undefined;
		this.asked = undefined;
	}
}
