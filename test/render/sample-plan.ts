import { parseConfig } from "../../src/config/load.ts";
import { parsePrefix } from "../../src/lib/prefix.ts";
import type { Rendered } from "../../src/render/misfits.ts";
import { makePlan, type Plan } from "../../src/render/plan.ts";

/** The article's peer, multihop. */
export const article = {
	name: "waukeen",
	address: "192.168.1.2",
	local_address: "192.168.1.1",
	local_as: "65001",
	remote_as: "65009",
	interface: "br-lan",
	multihop: "1",
};

export const article6 = {
	...article,
	name: "six",
	address: "fd00:1::2",
	local_address: "fd00:1::1",
	multihop: "0",
};

export type Options = Readonly<Record<string, string | undefined>>;

/** What a configuration with these peers, two lines apart from line 10 on, gives. */
export function tryPlan(
	peers: readonly Options[],
	what: Rendered = "bird",
	pools: string | readonly string[] = [],
	main: Options = {},
	secrets = false,
) {
	const section = (heading: string, options: Options) => [
		heading,
		...Object.entries(options).flatMap(([name, value]) => (value ? [`\toption ${name} '${value}'`] : [])),
	];
	const text = [
		section("config bgpwarden 'main'", main),
		...peers.map((peer) => section("config peer", peer)),
	];
	const read = parseConfig(text.flat().join("\n"), "config");
	if ("errors" in read) throw new Error(read.errors.join("\n"));
	const prefixes = [pools].flat().flatMap((pool) => parsePrefix(pool) ?? []);
	return makePlan(
		read.config,
		what,
		"/etc/config/bgpwarden",
		(peer) => `/etc/config/bgpwarden:${10 + 2 * peer}`,
		{ pools: prefixes, secrets },
	);
}

/** @throws Error with what is missing */
export function plan(
	peers: readonly Options[],
	pools?: string | readonly string[],
	main: Options = {},
	what: Rendered = "bird",
	secrets = false,
): Plan {
	const made = tryPlan(peers, what, pools, main, secrets);
	if ("errors" in made) throw new Error(made.errors.join("\n"));
	return made;
}
