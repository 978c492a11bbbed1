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
