import { existsSync } from "node:fs";
import { rootfs, world } from "./paths.ts";

/** What this world's programs can; test/lab/paths.ts says which world it is. */

/** BIRD's major versions that are there, the default first: Debian 12 has no BIRD 3. */
export const birdVersions: readonly (2 | 3)[] = existsSync(`${rootfs}/opt/bird2`) ? [3, 2] : [2];
export const newestBird = birdVersions[0] ?? 2;
/** Whether nft and kernel can keep a table from others (nft 1.1.0, kernel 6.9); else the daemon repairs it. */
export const canOwn = world !== "12";
/** How the table is protected where nobody asks for less. */
export const protection = canOwn ? "owned" : "installed";
/** Whether nft knows `destroy` (1.0.7). */
export const canDestroy = world !== "12";
/** nft 1.0.6 does not say in JSON which devices a chain belongs to. */
export const namesDevices = world !== "12";
/** Whether nft lists which bits of a byte a raw match looks at: 1.0.6 does, 1.1.3 does not. */
export const listsBits = world === "12";
/** FRR begins multihop BFD without having met the peer; FRR 8.4 does so with the first BGP session. */
export const bfdComesFirst = world !== "12";
