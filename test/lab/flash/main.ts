import { playCuts } from "./cuts.ts";
import { Outcome } from "./outcome.ts";
import { playRest } from "./rest.ts";

/**
 * Flash: nothing below /etc is written at rest, and what is written there is whole whenever it is cut. The rest is
 * traced for an hour, with QUICK=1 for one minute, and meanwhile the daemon is killed at each step of each write.
 */
const seconds = Number(process.env.SECONDS ?? (process.env.QUICK === "1" ? 60 : 3600));
const outcome = new Outcome();
const only = process.env.ONLY ?? "";
const parts = { rest: () => playRest(outcome, seconds), cuts: () => playCuts(outcome) };
await Promise.all(Object.entries(parts).flatMap(([name, play]) => (name.includes(only) ? [play()] : [])));
process.exit(outcome.close());
