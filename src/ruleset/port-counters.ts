import type { Pattern, Rule, Ruleset } from "../model/ruleset.ts";

/**
 * Packets that have come to a UDP port, by port, as the counters of the daemon's own table tell (chain raw_pre). A rule
 * with several ports tells nothing about one.
 */
export function portCounters(ruleset: Ruleset, table: string): ReadonlyMap<number, number> {
	const own = ruleset.tables.find(({ family, name }) => family === "inet" && name === table);
	const counted = new Map<number, number>();
	for (const rule of own?.chains.get("raw_pre")?.rules ?? []) {
		const [port, packets] = [udpPort(rule), packetsOf(rule)];
		if (port !== undefined && packets !== undefined) counted.set(port, (counted.get(port) ?? 0) + packets);
	}
	return counted;
}

function udpPort({ statements }: Rule): number | undefined {
	for (const statement of statements) {
		if (statement.kind !== "match" || statement.relation !== "==" || statement.left.kind !== "payload")
			continue;
		if (statement.left.protocol === "udp" && statement.left.field === "dport") return single(statement.right);
	}
	return undefined;
}

function single(pattern: Pattern): number | undefined {
	return pattern.kind === "is" && typeof pattern.value === "number" ? pattern.value : undefined;
}

function packetsOf({ statements }: Rule): number | undefined {
	for (const statement of statements) if (statement.kind === "counter") return statement.packets;
	return undefined;
}
