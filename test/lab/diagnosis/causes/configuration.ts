import type { Speaker } from "../../speakers/kinds.ts";
import { until } from "../../wait.ts";
import { type Cause, configureBird, configureFrr, setMultihop } from "./cause.ts";

/** A BIRD that does not fit the other side. */
export const CONFIGURATION: readonly Cause<Speaker>[] = [
	{
		name: "a wrong AS number in BIRD",
		id: "rejected",
		async begin(world) {
			await configureBird(world, { neighborAs: 65333 });
		},
		async end(world) {
			await configureBird(world, {});
		},
	},
	{
		name: "a wrong MD5 password",
		id: "no-answer",
		async begin(world) {
			await configureBird(world, { extra: 'password "secret";' });
			await world.redial();
		},
		async end(world) {
			await configureBird(world, {});
		},
	},
	{
		name: "BIRD on another port",
		id: "not-listening",
		async begin(world) {
			await configureBird(world, { port: 1790 });
			// BIRD 3 closes the old socket a moment later: who dials before is accepted, and hung up on.
			await until("nobody on BGP's port", async () => {
				const { stdout } = await world.lab.router.run(["ss", "-Hltn", "sport", "=", ":179"]);
				return stdout.trim() === "";
			});
			await world.redial();
		},
		async end(world) {
			await configureBird(world, {});
		},
	},
	{
		name: "BIRD stopped",
		id: "bird-down",
		async begin(world) {
			await world.bird.stop();
		},
		async end(world) {
			await world.startBird();
		},
	},
];

/** BFD that does not fit. */
export const BFD: readonly Cause[] = [
	{
		name: "single-hop BFD in BIRD, multihop in the speaker",
		id: "bfd-mode-mismatch",
		fromStart: true,
		whileUp: true,
		bird: { multihop: false },
		async begin() {},
		async end(world) {
			await configureBird(world, {});
		},
	},
	{
		name: "multihop BFD in BIRD, single-hop in the speaker",
		id: "bfd-mode-mismatch",
		fromStart: true,
		frr: { multihop: false },
		async begin() {},
		end: setMultihop,
	},
	{
		name: "no BFD in the speaker",
		id: "bfd-down-session-up",
		fromStart: true,
		whileUp: true,
		frr: { bfd: false },
		async begin() {},
		async end(world) {
			await configureFrr(world, (neighbor) => [`${neighbor} bfd`, `${neighbor} bfd profile bfdprofile`]);
		},
	},
];
