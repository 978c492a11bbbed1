import type { World } from "../world.ts";

/** What a cell does with a script on the router. */
export const shell = (script: string) => async (world: World) => void (await world.shell(script));
/** A small disk in the place of a directory, from before the daemon's start to its end. */
export function disk(directory: string) {
	return {
		prepare: shell(`mkdir -p ${directory}; mount -t tmpfs -o size=128k tmpfs ${directory}`),
		tidy: async (world: World) => {
			// The daemon may be there still, with a file open.
			await world.shell(`umount -l ${directory}`);
		},
	};
}
export const fill = (directory: string) =>
	shell(`cat /dev/zero >${directory}/filler 2>/dev/null; test -s ${directory}/filler`);
export const unfill = (directory: string) => shell(`rm -f ${directory}/filler`);
