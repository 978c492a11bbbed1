import type { Status } from "../../../src/model/status.ts";
import type { SessionFacts } from "./router.ts";

/** Milliseconds: BIRD's time of a session is computed anew for each answer. */
const SAME = 500;

/** Sessions that are not the same any more. */
export function lostSessions(
	before: ReadonlyMap<string, SessionFacts>,
	after: ReadonlyMap<string, SessionFacts>,
): string[] {
	return [...before].flatMap(([name, old]) => {
		const now = after.get(name);
		const same =
			now?.state === "Established" && Math.abs(now.since - old.since) <= SAME && now.counts === old.counts;
		return same && old.counts !== undefined
			? []
			: [`${name}: ${JSON.stringify(old)} -> ${JSON.stringify(now)}`];
	});
}

/** Transactions of `nft monitor` after which a table is not there: one that is replaced comes back in the same one. */
export function absences(lines: readonly string[], table: string): string[] {
	const found: string[] = [];
	let isThere = true;
	for (const line of lines) {
		if (line.startsWith(`delete table ${table}`)) isThere = false;
		else if (line.startsWith(`add table ${table}`)) isThere = true;
		else if (line.startsWith("# new generation") && !isThere) found.push(line);
	}
	return found;
}

/** What makes no sense about the status after an upgrade. */
export function oddStatus(before: Status, after: Status): string[] {
	const odd: string[] = [];
	const say = (is: boolean, what: string) => void (is && odd.push(what));
	const { router: old } = before;
	const { router } = after;
	for (const key of ["router", "table", "protection", "level", "diagnosis"] as const)
		say(router[key] !== old[key], `router.${key}: ${old[key]} -> ${router[key]}`);
	say(router.ports.join() !== old.ports.join(), `router.ports: ${old.ports} -> ${router.ports}`);
	for (const key of ["repairs", "flushed"] as const) {
		const count = router[key];
		say(!Number.isSafeInteger(count) || count < 0, `router.${key}: ${count}`);
		// It starts over or goes on: an upgrade by itself repairs and deletes nothing.
		say(count !== 0 && count !== old[key], `router.${key}: ${old[key]} -> ${count}`);
	}
	say(router.last_repair !== undefined && router.repairs === 0, "router.last_repair without repairs");
	say(
		Date.parse(router.started) <= Date.parse(old.started),
		`router.started: ${old.started} -> ${router.started}`,
	);
	say(
		after.peers.map(({ name }) => name).join() !== before.peers.map(({ name }) => name).join(),
		"other peers",
	);
	for (const [index, peer] of before.peers.entries()) {
		const now = after.peers[index];
		const label = `peer ${peer.name}`;
		for (const key of [
			"state",
			"bfd",
			"neighbor_address",
			"neighbor_as",
			"local_as",
			"level",
			"diagnosis",
		] as const)
			say(now?.[key] !== peer[key], `${label}: ${key}: ${peer[key]} -> ${now?.[key]}`);
		const moved = Math.abs(Date.parse(now?.since ?? "") - Date.parse(peer.since ?? ""));
		say(!(moved <= 1000), `${label}: since: ${peer.since} -> ${now?.since}`);
		say(now?.flaps !== 0 && now?.flaps !== peer.flaps, `${label}: flaps: ${peer.flaps} -> ${now?.flaps}`);
		for (const key of ["imported", "exported", "preferred"] as const)
			say(now?.[key] !== peer[key], `${label}: ${key}: ${peer[key]} -> ${now?.[key]}`);
	}
	return odd;
}

interface Discovery {
	readonly device: { readonly identifiers: readonly string[]; readonly name: string };
	readonly components: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

const isDiscovery = (topic: string) => topic.startsWith("homeassistant/device/");

/** Retained messages whose topic is gone or new, or that make Home Assistant take something for another thing. */
export function otherMessages(
	before: ReadonlyMap<string, string>,
	after: ReadonlyMap<string, string>,
): string[] {
	const found = [...before.keys()].filter((topic) => !after.has(topic)).map((topic) => `gone: ${topic}`);
	found.push(...[...after.keys()].filter((topic) => !before.has(topic)).map((topic) => `new: ${topic}`));
	for (const [topic, payload] of before) {
		const now = after.get(topic);
		if (now !== undefined && isDiscovery(topic))
			found.push(...otherEntities(topic, JSON.parse(payload), JSON.parse(now)));
	}
	return found;
}

/** Entities may be added; each that was there is the same. */
function otherEntities(topic: string, old: Discovery, now: Discovery): string[] {
	const found: string[] = [];
	const compare = (what: string, was: unknown, is: unknown) => {
		if (JSON.stringify(was) !== JSON.stringify(is)) found.push(`${topic}: ${what}: ${was} -> ${is}`);
	};
	compare("identifiers", old.device.identifiers, now.device.identifiers);
	compare("name", old.device.name, now.device.name);
	for (const [key, component] of Object.entries(old.components)) {
		// Home Assistant knows an entity by the first, and called it by the others when it was new.
		for (const option of ["platform", "unique_id", "default_entity_id", "object_id", "name"])
			compare(`${key}.${option}`, component[option], now.components[key]?.[option]);
	}
	return found;
}

/** What a device's messages say of each entity: where its value is, and the id that a new one gets. */
function entityIds(messages: ReadonlyMap<string, string>): Map<string, string[]> {
	const ids = new Map<string, string[]>();
	for (const [topic, payload] of messages) {
		if (!isDiscovery(topic)) continue;
		for (const [key, component] of Object.entries((JSON.parse(payload) as Discovery).components)) {
			if (component.unique_id === undefined) continue;
			const what = `${component.state_topic ?? component.command_topic} ${key}`;
			ids.set(what, [...(ids.get(what) ?? []), `${component.default_entity_id}`]);
		}
	}
	return ids;
}

/**
 * For a router whose id has an underscore: 0.1.0's ids of such devices could be those of another router's peer, so discovery
 * may have another topic and other unique ids now. Then what was announced before is taken back, so that each entity
 * is there once, and a new one gets the entity id, and with it the history, of the old one.
 */
export function otherPlaces(
	before: ReadonlyMap<string, string>,
	after: ReadonlyMap<string, string>,
): string[] {
	const states = (messages: ReadonlyMap<string, string>) =>
		new Map([...messages].filter(([topic]) => !isDiscovery(topic)));
	const found = otherMessages(states(before), states(after));
	const now = entityIds(after);
	for (const [what, ids] of entityIds(before)) {
		const next = now.get(what) ?? [];
		if (next.join() !== ids.join()) found.push(`${what}: ${ids} -> ${next.join(" and ") || "nothing"}`);
	}
	const devices = (messages: ReadonlyMap<string, string>) => [...messages.keys()].filter(isDiscovery).length;
	if (devices(after) !== devices(before)) found.push(`${devices(before)} devices -> ${devices(after)}`);
	return found;
}
