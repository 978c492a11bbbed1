import type { Speaker } from "../../speakers/kinds.ts";
import { type AnyWorld, type Cause, configureBird } from "./cause.ts";

/** BIRD's configuration with a range that holds every node, in place of the one node. */
async function range(world: AnyWorld): Promise<void> {
	await configureBird(world, { range: world.family === 6 ? "fd00:1::/64" : "192.168.1.0/24" });
}

async function oneNode(world: AnyWorld): Promise<void> {
	await configureBird(world, {});
}

/** `neighbor range`, as people with clusters write it. */
export const RANGES: readonly Cause<Speaker>[] = [
	{
		name: "a drop of every node of a range, before one has connected",
		id: "hijacked",
		healedWithin: 15_000,
		async begin(world) {
			await world.lab.router.nft(
				"table inet sentry {\nchain pre { type filter hook prerouting priority mangle; policy accept;\ntcp dport 179 counter drop\n}\n}\n",
			);
			await range(world);
			await world.redial();
		},
		async end(world) {
			await world.lab.router.nft("delete table inet sentry\n");
			await oneNode(world);
			await world.redial();
		},
	},
	{
		name: "a range that no node dials",
		id: "range-waiting",
		within: 30_000,
		healedWithin: 15_000,
		async begin(world) {
			await world.speaker.crash();
			await range(world);
		},
		async end(world) {
			await oneNode(world);
			await world.startSpeaker();
		},
	},
];
