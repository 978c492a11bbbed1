import { network } from "../../network.ts";
import { birdPeering, startFrr } from "../../programs.ts";
import { type Cause, redial, type World } from "./cause.ts";

/** BIRD's configuration with a range that holds every node, in place of the one node. */
async function range({ bird, family }: World): Promise<void> {
	const [neighbor, prefix] =
		family === 6 ? [network.speaker.address6, "fd00:1::/64"] : [network.speaker.address, "192.168.1.0/24"];
	await bird.configure(birdPeering({ family }).replace(`neighbor ${neighbor} `, `neighbor range ${prefix} `));
}

async function oneNode({ bird, family }: World): Promise<void> {
	await bird.configure(birdPeering({ family }));
}

/** `neighbor range`, as people with clusters write it. */
export const RANGES: readonly Cause[] = [
	{
		name: "a drop of every node of a range, before one has connected",
		id: "hijacked",
		healedWithin: 15_000,
		async begin(world) {
			await world.lab.router.nft(
				"table inet sentry {\nchain pre { type filter hook prerouting priority mangle; policy accept;\ntcp dport 179 counter drop\n}\n}\n",
			);
			await range(world);
			await redial(world);
		},
		async end(world) {
			await world.lab.router.nft("delete table inet sentry\n");
			await oneNode(world);
			await redial(world);
		},
	},
	{
		name: "a range that no node dials",
		id: "range-waiting",
		within: 30_000,
		healedWithin: 15_000,
		async begin(world) {
			await world.frr.crash();
			await range(world);
		},
		async end(world) {
			await oneNode(world);
			world.frr = await startFrr(world.lab.speaker, { family: world.family });
		},
	},
];
