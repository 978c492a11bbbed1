import { didYouMean } from "../lib/suggest.ts";
import type { Config } from "./config.ts";

/**
 * The zone of fw4 that a packet met, by the chains it passed: fw4 names them after the zone (ruleset.uc), e.g. `input_lan`,
 * `reject_from_lan`, `accept_to_wan`.
 */
export function zoneOfChains(chains: Iterable<string>): string | undefined {
	for (const chain of chains) {
		const zone = /^(?:input|output|(?:accept|reject|drop)_(?:from|to))_(.+)$/.exec(chain)?.[1];
		if (zone !== undefined) return zone;
	}
	return undefined;
}

/**
 * One sentence for each zone of the configuration that fw4 does not have: it drops the rules that open the ports, silently.
 * @param zones the names of fw4's zones
 */
export function missingZones({ main, peers }: Config, zones: readonly string[]): string[] {
	const wanted = new Map<string, string[]>();
	const sections = [{ of: "main", zone: main.zone }, ...peers.map(({ name, zone }) => ({ of: name, zone }))];
	for (const { of, zone } of sections)
		if (zone && !zones.includes(zone)) wanted.set(zone, [...(wanted.get(zone) ?? []), of]);
	return [...wanted].map(
		([zone, owners]) =>
			`option zone '${zone}' (${owners.join(", ")}): /etc/config/firewall has no such zone` +
			`${didYouMean(zone, zones)}, so no rule opens BGP's ports`,
	);
}
