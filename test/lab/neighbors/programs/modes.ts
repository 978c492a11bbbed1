import { BREACHES } from "./modes/breaches.ts";
import { FLOODS } from "./modes/floods.ts";
import { LIES } from "./modes/lies.ts";
import type { Mode } from "./modes/mode.ts";

export type { Mode };

export const MODES: readonly Mode[] = [...FLOODS, ...BREACHES, ...LIES];
