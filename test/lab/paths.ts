import { fileURLToPath } from "node:url";

/** Where the lab keeps its things (not in git). */
export const labDirectory = fileURLToPath(new URL("../../.lab", import.meta.url));
/** The root filesystem made by scripts/rootfs.sh; hosts see it through overlays and never change it. */
export const rootfs = `${labDirectory}/rootfs`;
/** The daemon as `npm run build` leaves it. */
export const bundle = fileURLToPath(new URL("../../dist/bgpwarden.js", import.meta.url));
