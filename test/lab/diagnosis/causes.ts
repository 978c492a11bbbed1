import type { Cause } from "./causes/cause.ts";
import { CONFIGURATION } from "./causes/configuration.ts";
import { HANDSHAKES } from "./causes/handshakes.ts";
import { NETWORK } from "./causes/network.ts";
import { RANGES } from "./causes/ranges.ts";
import { REFUSALS } from "./causes/refusals.ts";
import { RULES } from "./causes/rules.ts";

export type { Cause, World } from "./causes/cause.ts";

/** Every cause of a dead session that the lab can play. */
export const CAUSES: readonly Cause[] = [
	...RULES,
	...CONFIGURATION,
	...REFUSALS,
	...NETWORK,
	...HANDSHAKES,
	...RANGES,
];
