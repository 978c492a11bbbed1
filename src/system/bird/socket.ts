import type { Platform } from "../../platform/types.ts";

/** Where BIRD's control socket usually is. */
export const USUAL_SOCKETS = ["/var/run/bird.ctl", "/run/bird/bird.ctl", "/run/bird.ctl"] as const;

export interface ControlSocket {
	readonly path: string;
	/** Changes when BIRD makes the socket anew, which it does at each start. */
	readonly identity: string;
}

/**
 * BIRD's control socket, if there is one. A BIRD that crashed leaves its socket behind.
 * @param configured empty: the first of the usual places that has one
 */
export function findSocket(platform: Platform, configured: string): ControlSocket | undefined {
	for (const path of configured === "" ? USUAL_SOCKETS : [configured]) {
		const status = platform.files.status(path);
		if (status?.kind === "socket") return { path, identity: `${path} ${status.inode} ${status.modified}` };
	}
	return undefined;
}

/** One line for when `findSocket` finds nothing. */
export function noSocket(configured: string): string {
	return `BIRD does not run: no socket at ${configured === "" ? USUAL_SOCKETS.join(", ") : configured}`;
}
