/** /etc/config/bgpwarden as text to a Config, or to everything that is wrong with it. Pure. */

import { parseAddress } from "../lib/address.ts";
import { parsePrefix } from "../lib/prefix.ts";
import { printable, quoted } from "../lib/printable.ts";
import { didYouMean } from "../lib/suggest.ts";
import { parseUci, type UciError, type UciOption, type UciSection } from "../lib/uci.ts";
import type { Config, MqttConfig, PeerConfig } from "../model/config.ts";
import { birdName } from "./kinds.ts";
import { defaultConfig, MAIN_OPTIONS, MQTT_OPTIONS, type OptionTable, PEER_OPTIONS } from "./schema.ts";

export { DEFAULT_CONFIG_PATH, defaultConfig } from "./schema.ts";

/** Section types, and the name that a section of this type must have; `peer` takes any or none. */
const SECTIONS: ReadonlyMap<string, string | undefined> = new Map([
	["bgpwarden", "main"],
	["mqtt", "mqtt"],
	["peer", undefined],
]);

/** Mistakes that are looked for in one file; a person mends these first. */
const MOST_ERRORS = 100;

/**
 * Reads the text of a configuration file.
 * @param path only for the messages
 * @returns the configuration with all defaults filled in, or at least one line like
 *   `/etc/config/bgpwarden:12: main.poll_interval: 'abc' is not a number of seconds (1 to 3600)`, in the file's
 *   order. Never throws.
 */
export function parseConfig(text: string, path: string): { config: Config } | { errors: string[] } {
	const parsed = parseUci(text);
	const result = "errors" in parsed ? { errors: parsed.errors } : readSections(parsed.sections);
	if (!("errors" in result)) return result;
	const sorted = [...result.errors].sort((left, right) => left.line - right.line);
	return { errors: sorted.map((error) => `${path}:${error.line}: ${error.message}`) };
}

function readSections(sections: readonly UciSection[]): { config: Config } | { errors: UciError[] } {
	const errors: UciError[] = [];
	let { main, mqtt } = defaultConfig();
	const peers: { peer: PeerConfig; at: SectionReader }[] = [];
	let peerSections = 0;
	for (const section of sections) {
		const { type, name, line } = section;
		if (errors.length >= MOST_ERRORS) break;
		if (!SECTIONS.has(type)) {
			const hint = didYouMean(type, [...SECTIONS.keys()]);
			errors.push({ line, message: `config ${quoted(type)}: unknown section type${hint}` });
			continue;
		}
		const required = SECTIONS.get(type);
		if (required !== undefined && name !== required) {
			errors.push({
				line,
				message: `config ${type}: its name must be '${required}': config ${type} '${required}'`,
			});
			continue;
		}
		// uci's own notation; it counts the named ones too.
		const label = name === undefined ? `@${type}[${peerSections}]` : printable(name, 60);
		const reader = new SectionReader(section, label, errors);
		if (type === "bgpwarden") main = { ...main, ...reader.read(MAIN_OPTIONS) };
		else if (type === "mqtt") mqtt = readMqtt(reader, mqtt);
		else {
			peerSections++;
			const peer = readPeer(reader);
			if (peer) peers.push({ peer, at: reader });
		}
	}
	const seen = new Map<string, number>();
	for (const { peer, at } of peers) {
		if (errors.length >= MOST_ERRORS) break;
		const earlier = seen.get(peer.name);
		if (earlier === undefined) seen.set(peer.name, at.line("name"));
		else at.refuse("name", `${quoted(peer.name)} is already the peer of line ${earlier}`);
	}
	return errors.length > 0 ? { errors } : { config: { main, mqtt, peers: peers.map(({ peer }) => peer) } };
}

function readMqtt(reader: SectionReader, defaults: MqttConfig): MqttConfig {
	const given = reader.read(MQTT_OPTIONS);
	const mqtt = { ...defaults, ...given };
	const enabled = given.enabled ?? (mqtt.host !== "" && !reader.has("enabled"));
	if (enabled && !reader.has("host"))
		reader.refuse("enabled", "MQTT is switched on, but there is no 'host' (the broker's name or address)");
	if (mqtt.password !== "" && !reader.has("username"))
		reader.refuse("password", "a password needs a 'username' (MQTT 3.1.1 has none without)");
	for (const option of ["ca_file", "cert_file", "key_file", "tls_insecure"]) {
		const wanted = option === "tls_insecure" ? mqtt.tlsInsecure : reader.has(option);
		if (wanted && !mqtt.tls && !reader.failed("tls"))
			reader.refuse(option, "is for TLS, which is switched off (option tls '1')");
	}
	if (reader.has("cert_file") && !reader.has("key_file"))
		reader.refuse("cert_file", "needs a 'key_file' as well");
	if (reader.has("key_file") && !reader.has("cert_file"))
		reader.refuse("key_file", "needs a 'cert_file' as well");
	return { ...mqtt, enabled };
}

function readPeer(reader: SectionReader): PeerConfig | undefined {
	const given = reader.read(PEER_OPTIONS);
	if (reader.failed("name")) return undefined;
	const name = given.name ?? birdName.read(reader.section.name ?? "");
	if (name === undefined) {
		reader.refuse("name", "is missing (the protocol's name in bird.conf)");
		return undefined;
	}
	const peer: { -readonly [Key in keyof PeerConfig]: PeerConfig[Key] } = { ...given, name };
	// The zone is the interface's name: kept in one place, and addresses stay comparable.
	for (const [option, key] of [["address", "address"] as const, ["local_address", "localAddress"] as const]) {
		const address = parseAddress(peer[key] ?? "");
		if (!address) continue;
		peer[key] = address.text;
		if (address.zone === undefined || reader.failed("interface")) continue;
		if (peer.interface !== undefined && peer.interface !== address.zone)
			reader.refuse(option, `is on ${quoted(address.zone)}, but the interface is ${quoted(peer.interface)}`);
		peer.interface ??= address.zone;
	}
	checkSpeaker(reader, peer);
	const family = parseAddress(peer.address ?? "")?.family ?? rangeFamily(peer.range);
	const localFamily = parseAddress(peer.localAddress ?? "")?.family;
	if (family && localFamily && family !== localFamily)
		reader.refuse("local_address", `is IPv${localFamily}, but the peer's address is IPv${family}`);
	else if (peer.address !== undefined && peer.address === peer.localAddress)
		reader.refuse("local_address", "is the peer's own address");
	return peer;
}

function rangeFamily(range: string | undefined): 4 | 6 | undefined {
	return range === undefined ? undefined : parsePrefix(range)?.family;
}

/** What the options about the other end say of each other. */
function checkSpeaker(reader: SectionReader, peer: PeerConfig): void {
	const { range, nodeInterface, sourceAddress, address, holdTime = 15, keepaliveTime = 1 } = peer;
	if (range !== undefined)
		for (const option of ["address", "node", "node_interface", "source_address"])
			if (reader.has(option))
				reader.refuse(option, "is one node's; with 'range' the peers are whoever connects");
	if (nodeInterface !== undefined && (reader.has("address") || reader.has("local_address")))
		reader.refuse(
			"node_interface",
			"is for a session without addresses: leave 'address' and 'local_address' out",
		);
	if (nodeInterface !== undefined && peer.interface === undefined && !reader.failed("interface"))
		reader.refuse("node_interface", "needs this router's 'interface' towards the node as well");
	const source = parseAddress(sourceAddress ?? "");
	if (source && address !== undefined && source.family !== parseAddress(address)?.family)
		reader.refuse("source_address", `is IPv${source.family}, but the peer's address is not`);
	if (keepaliveTime > holdTime)
		reader.refuse(
			"keepalive_time",
			`is longer than the hold time (${holdTime} s): the session would end between two of them`,
		);
}

/** Reads one section's options and remembers which of them were refused. */
class SectionReader {
	private readonly refused = new Set<string>();

	constructor(
		readonly section: UciSection,
		private readonly label: string,
		private readonly errors: UciError[],
	) {}

	/** The options that are set and valid; the others are absent. Unknown ones are refused. */
	read<Section extends object>(table: OptionTable<Section>): Partial<Section> {
		const result: Partial<Section> = {};
		const keys = Object.keys(table) as (keyof Section)[];
		const known = keys.map((key) => table[key].option);
		// A password may stand where something else should: only the line tells where.
		const secret = this.mayHoldSecret(
			keys.filter((key) => table[key].kind.secret).map((key) => table[key].option),
		);
		for (const option of this.section.options.values()) {
			if (this.errors.length >= MOST_ERRORS) break;
			const key = keys.find((candidate) => table[candidate].option === option.name);
			if (key === undefined) {
				const hint = didYouMean(option.name, known);
				this.refuse(option.name, `unknown option${hint}`, secret && hint === "" ? "?" : option.name);
				continue;
			}
			const text = this.single(option);
			if (text === undefined || text === "") continue;
			const { kind } = table[key];
			const value = kind.read(text);
			if (value !== undefined) result[key] = value;
			else
				this.refuse(
					option.name,
					`${secret ? "the value" : quoted(text)} is not ${kind.expected}${kind.hint?.(text) ?? ""}`,
				);
		}
		return result;
	}

	/** @param secrets options that are secrets; a peer's section is open as long as it has nothing to do with them */
	private mayHoldSecret(secrets: readonly string[]): boolean {
		if (this.section.type !== "peer") return secrets.length > 0;
		const isNamed = (value: string) => secrets.includes(value);
		return [...this.section.options.values()].some(
			({ name, values }) => isNamed(name) || values.some(isNamed),
		);
	}

	/** Whether the option has a value, good or bad. */
	has(option: string): boolean {
		return this.section.options.get(option)?.values.some((value) => value !== "") ?? false;
	}

	failed(option: string): boolean {
		return this.refused.has(option);
	}

	/** Line of the option, or of the section when it has no such option. */
	line(option: string): number {
		return this.section.options.get(option)?.line ?? this.section.line;
	}

	/** @param shown what the message calls the option */
	refuse(option: string, message: string, shown = option): void {
		this.refused.add(option);
		this.errors.push({
			line: this.line(option),
			message: `${this.label}.${printable(shown, 60)}: ${message}`,
		});
	}

	private single(option: UciOption): string | undefined {
		if (!option.list) return option.values[0];
		this.refuse(option.name, "takes one value: write 'option' instead of 'list'");
		return undefined;
	}
}
