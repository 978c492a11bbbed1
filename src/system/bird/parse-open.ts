import { printable } from "../../lib/printable.ts";
import type { PeerOpen, SpeakingProgram } from "../../model/speaker.ts";

/** A host name has up to 255 bytes (draft-walton-bgp-hostname-capability), a DNS label 63. */
const LONGEST_NAME = 64;

/**
 * What the peer announced in its OPEN: `Neighbor capabilities` of `show protocols all` (BIRD's proto/bgp/bgp.c,
 * bgp_show_capabilities), which BIRD prints while the session is up.
 * @param details the lines of one protocol, without what stands for their code
 * @returns undefined when there are none, or they tell nothing
 */
export function parseOpen(details: readonly string[]): PeerOpen | undefined {
	const start = details.indexOf("    Neighbor capabilities");
	if (start < 0) return undefined;
	const end = details.findIndex((text, index) => index > start && !text.startsWith("      "));
	const lines = details.slice(start + 1, end < 0 ? undefined : end);
	const names = new Set<string>();
	let section = "";
	let hostname: string | undefined;
	let restarts = false;
	for (const line of lines) {
		const text = line.slice(6);
		if (!text.startsWith(" ")) {
			section = text;
			// A capability's name may have a value behind it.
			names.add(/^[^:]*/.exec(text)?.[0] ?? "");
			if (text.startsWith("Hostname:")) hostname ??= printable(text.slice(9).trim(), LONGEST_NAME);
		} else if (section === "Graceful restart" && /^ {2}AF supported:\s*\S/.test(text)) restarts = true;
	}
	const program = programOf(names);
	if (!hostname && program === undefined && !restarts) return undefined;
	return {
		...(hostname ? { hostname } : {}),
		...(program === undefined ? {} : { program }),
		...(restarts ? { restarts: true as const } : {}),
	};
}

/** By captures of each (test/fixtures/bird/speakers). */
function programOf(names: ReadonlySet<string>): SpeakingProgram | undefined {
	const has = (...all: readonly string[]) => all.every((name) => names.has(name));
	// Of whatever version: an FRR that is taken for GoBGP would be reset, which makes it wait, and not be restarted.
	if (has("ADD-PATH", "Hostname")) return "frr";
	// No host name either, unless bird.conf has `advertise hostname`.
	if (has("Enhanced refresh", "Route refresh")) return "bird";
	if (has("Route refresh", "Hostname")) return "gobgp";
	if (has("Multiprotocol", "4-octet AS numbers") && !has("Route refresh") && !has("Hostname"))
		return "metallb-native";
	return undefined;
}
