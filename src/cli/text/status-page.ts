import { printable } from "../../lib/printable.ts";
import { isNote, routerLevel } from "../../model/peer-level.ts";
import type { MqttStatus, PeerStatus, RepairStatus, RouterStatus, Status } from "../../model/status.ts";
import { count, paint, renderFields, type TextOptions } from "./layout.ts";
import { isEstablished, renderPeers } from "./peer-table.ts";
import { formatAgo, formatSince, formatUtc } from "./time.ts";

/** The state in one sentence. */
export interface Headline {
	readonly text: string;
	/** Whether nothing is broken; see `routerLevel`. */
	readonly fine: boolean;
}

/** e.g. `All 2 peers are Established; the table is in place.` */
export function headline(status: Status): Headline {
	const { router, peers } = status;
	const tableMissing = router.protection === "missing";
	const table = tableMissing ? "the table is MISSING" : "the table is in place";
	return { text: `${describePeers(router, peers)}; ${table}.`, fine: routerLevel(router, peers) !== "red" };
}

/**
 * What `bgpwarden status` prints.
 * @param now milliseconds since 1970
 */
export function renderStatus(status: Status, now: number, options: TextOptions): string {
	const { router, peers } = status;
	const { text } = headline(status);
	const up = formatSince(router.started, now);
	const bird = router.bird.version === undefined ? "" : ` ${printable(router.bird.version, 40)}`;
	const fields: [string, string | undefined][] = [
		["Problem", router.problem && paint(printable(router.problem, 300), "red", options)],
		[
			"Diagnosis",
			router.diagnosis === "healthy" ? undefined : router.explanation && printable(router.explanation, 300),
		],
		["Router", printable(router.router, 64)],
		["Daemon", `bgpwarden ${printable(router.version, 40)}, pid ${router.pid}${up ? `, up for ${up}` : ""}`],
		[
			"Table",
			`inet ${printable(router.table, 64)}, ${(router.released ? RELEASED : PROTECTION)[router.protection] ?? printable(router.protection, 20)}`,
		],
		["Repairs", describeRepairs(router.repairs, router.last_repair, now)],
		["Conntrack", `${count(router.flushed, "stale entry", "stale entries")} deleted`],
		[
			"BIRD",
			router.bird.reachable
				? `answers${bird && ` (version${bird})`}`
				: paint("does not answer", "red", options),
		],
	];
	if (status.mqtt) fields.push(["MQTT", describeBroker(status.mqtt, options)]);
	const blocks = [paint(text, routerLevel(router, peers), options), renderFields(fields, options).join("\n")];
	if (peers.length > 0) blocks.push(renderPeers(peers, now, options).trimEnd());
	return `${blocks.join("\n\n")}\n`;
}

const PROTECTION: Readonly<Record<string, string>> = {
	owned: "in place and owned (nobody else can change it; bgpwarden release gives it up)",
	installed: "in place (changes by others are repaired)",
	missing: "MISSING",
};

/** A person has released it. */
const RELEASED: Readonly<Record<string, string>> = {
	installed: "in place and released (anybody can change it; bgpwarden ensure protects it again)",
	missing: "MISSING and released (bgpwarden ensure puts it back)",
};

function describeBroker({ broker, connected, reason }: MqttStatus, options: TextOptions): string {
	const named = printable(broker, 100);
	if (connected && reason === undefined) return `connected to ${named}`;
	if (connected)
		return paint(`connected to ${named}, but ${printable(reason ?? "", 300)}`, "yellow", options);
	const why = reason === undefined ? "" : ` (${printable(reason, 200)})`;
	return paint(`not connected to ${named}${why}`, "yellow", options);
}

function describePeers(router: RouterStatus, peers: readonly PeerStatus[]): string {
	if (!router.bird.reachable)
		return peers.length === 0 ? "BIRD does not answer" : `BIRD does not answer${lastKnown(peers)}`;
	const wanted = peers.filter(({ diagnosis }) => !isNote(diagnosis));
	const others = peers.length - wanted.length;
	const aside = others === 0 ? "" : ` (${others} more ${others === 1 ? "is" : "are"} meant to be down)`;
	const [first] = wanted;
	if (!first) return peers.length === 0 ? "BIRD has no BGP peer" : `No BGP peer is meant to be up${aside}`;
	const down = wanted.filter((peer) => !isEstablished(peer));
	if (down.length === 0)
		return wanted.length === 1
			? `The peer ${printable(first.name, 64)} is Established${aside}`
			: `All ${wanted.length} peers are Established${aside}`;
	const names = down
		.slice(0, 5)
		.map((peer) => `${printable(peer.name, 64)}: ${printable(peer.state ?? "unknown", 40)}`);
	if (down.length > names.length) names.push(`and ${down.length - names.length} more`);
	const list = names.join(", ");
	if (wanted.length === 1) return `The peer is not Established (${list})`;
	return `${down.length} of ${wanted.length} peers ${down.length === 1 ? "is" : "are"} not Established (${list})`;
}

function lastKnown(peers: readonly PeerStatus[]): string {
	return ` (last known: ${peers.filter(isEstablished).length} of ${count(peers.length, "peer")} Established)`;
}

function describeRepairs(repairs: number, last: RepairStatus | undefined, now: number): string {
	if (!last) return repairs === 0 ? "none needed so far" : String(repairs);
	const when = formatAgo(last.at, now) ?? printable(last.at, 40);
	const utc = formatUtc(last.at);
	const lines = [
		`${repairs}, the last one ${when}${utc && !when.includes(utc) ? ` (${utc})` : ""}`,
		`${printable(last.reason, 40)} by ${describeActor(last)}`,
		`back after ${last.milliseconds} ms`,
	];
	return lines.join("\n");
}

function describeActor({ by, described = by, service }: RepairStatus): string {
	const who = described === undefined ? "an unknown program" : printable(described, 300);
	return service === undefined ? who : `${who}, service ${printable(service, 40)}`;
}
