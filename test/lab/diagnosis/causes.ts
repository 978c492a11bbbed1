import type { Speaker } from "../speakers/kinds.ts";
import type { Cause } from "./causes/cause.ts";
import { BFD, CONFIGURATION } from "./causes/configuration.ts";
import { HANDSHAKES, ONE_WAY } from "./causes/handshakes.ts";
import { NETWORK, ROUTES } from "./causes/network.ts";
import { RANGES } from "./causes/ranges.ts";
import { LIMITS, REFUSALS } from "./causes/refusals.ts";
import { RULES } from "./causes/rules.ts";

export type { AnyWorld, Cause } from "./causes/cause.ts";

/** Causes of a dead session whoever speaks. */
export const COMMON: readonly Cause<Speaker>[] = [
	...RULES,
	...CONFIGURATION,
	...REFUSALS,
	...NETWORK,
	...HANDSHAKES,
	...RANGES,
];

/** Every cause of a dead session that the lab can play with FRR. */
export const CAUSES: readonly Cause[] = [...COMMON, ...BFD, ...LIMITS, ...ROUTES, ...ONE_WAY];
