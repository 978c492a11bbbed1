import { fileURLToPath } from "node:url";

/** Where the lab keeps its things (not in git). */
export const labDirectory = fileURLToPath(new URL("../../.lab", import.meta.url));
/** Which distribution's programs the lab runs: `13` (Debian 13), `next` (Debian testing) or `12` (Debian 12). */
export const world = process.env.WORLD ?? "13";
/** The name of this world's root filesystem in .lab. */
export const rootfsName = `rootfs-${world}`;
/** The root filesystem made by scripts/rootfs.sh; hosts see it through overlays and never change it. */
export const rootfs = `${labDirectory}/${rootfsName}`;
/** The daemon as `npm run build` leaves it. */
export const bundle = fileURLToPath(new URL("../../dist/bgpwarden.js", import.meta.url));
