import { createServer } from "node:net";
import { MODES } from "./modes.ts";
import { type Packet, packet, parsePublish, parseTopics, publish, TYPE, twoBytes } from "./mqtt-packets.ts";
import { listen, report } from "./report.ts";
import { Session } from "./session.ts";

/**
 * An MQTT broker that behaves until it is told to `begin`: it drops the connection, and every later one gets to see the mode
 * that its argument names, until it is told to `end`. Run by `Neighbor`.
 */
const PORT = 1883;
/** Milliseconds between an answered subscription and what comes unasked. */
const BREATH = 100;

const [, name] = process.argv;
const mode = MODES.find((each) => each.name === name);
if (!mode) throw new Error(`there is no mode '${name}'`);

const sessions = new Set<Session>();
const kept = new Map<string, Buffer>();
const published = new Set<string>();
let hostile = false;
let connections = 0;

function matches(filter: string, topic: string): boolean {
	const levels = topic.split("/");
	const wanted = filter.split("/");
	if (wanted.at(-1) !== "#" && wanted.length !== levels.length) return false;
	return wanted.every((level, index) => level === "#" || level === "+" || level === levels[index]);
}

function take(session: Session, received: Packet): void {
	const { topic, payload, id, retain } = parsePublish(received);
	if (payload.length === 0 && retain) report({ kind: "emptied", topic, own: published.has(topic) });
	else if (!published.has(topic)) {
		published.add(topic);
		report({ kind: "published", topic });
	}
	if (hostile && mode?.answer?.(session, received)) return;
	if (id !== undefined) session.send(packet(0x40, twoBytes(id)));
	if (retain && payload.length > 0) kept.set(topic, payload);
	else if (retain) kept.delete(topic);
	for (const each of sessions)
		if ([...each.filters].some((filter) => matches(filter, topic))) each.send(publish(topic, payload));
}

function subscribe(session: Session, received: Packet): void {
	const { id, topics } = parseTopics(received);
	session.send(packet(0x90, Buffer.concat([twoBytes(id), Buffer.alloc(topics.length)])));
	for (const filter of topics) {
		session.filters.add(filter);
		for (const [topic, payload] of kept)
			if (matches(filter, topic)) session.send(publish(topic, payload, { retain: true }));
	}
	if (hostile && mode?.attack && session.attackedAt === undefined)
		session.later(BREATH, () => {
			if (session.attackedAt !== undefined) return;
			attacked(session);
			mode.attack?.(session);
		});
}

function attacked(session: Session): void {
	session.attackedAt = performance.now();
	report({ kind: "attacked", connection: session.number });
}

function answer(session: Session, received: Packet): void {
	if (received.type !== TYPE.publish && hostile && mode?.answer?.(session, received)) return;
	switch (received.type) {
		case TYPE.publish:
			take(session, received);
			break;
		case TYPE.connect:
			session.send(packet(0x20, Buffer.from([0, 0])));
			break;
		case TYPE.subscribe:
			subscribe(session, received);
			break;
		case TYPE.unsubscribe: {
			const { id, topics } = parseTopics(received);
			for (const topic of topics) session.filters.delete(topic);
			session.send(packet(0xb0, twoBytes(id)));
			break;
		}
		case TYPE.pingreq:
			session.send(packet(0xd0));
			break;
		case TYPE.disconnect:
			session.end();
	}
}

const server = createServer((socket) => {
	const session = new Session(socket, ++connections, answer, ({ number, attackedAt, bytes }) => {
		sessions.delete(session);
		const milliseconds = attackedAt === undefined ? undefined : performance.now() - attackedAt;
		report({
			kind: "closed",
			connection: number,
			bytes,
			...(milliseconds === undefined ? {} : { milliseconds }),
		});
	});
	sessions.add(session);
	report({ kind: "open", connection: session.number });
	// Where it answers in its own way, that is the attack.
	if (hostile && !mode.attack) attacked(session);
});
server.listen(PORT, "::", () => report({ kind: "ready" }));

listen((word) => {
	hostile = word === "begin";
	for (const session of sessions) session.reset();
});
