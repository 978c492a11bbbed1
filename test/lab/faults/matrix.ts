import { canOwn } from "../world.ts";
import { type Cell, DEPENDENCIES, FAULTS, type LeftOut, type Mode } from "./cell.ts";
import { birdCells, birdLeftOut } from "./cells/bird.ts";
import { flashCells, flashLeftOut } from "./cells/flash.ts";
import { kernelCells, kernelLeftOut } from "./cells/kernel.ts";
import { limitCells, limitLeftOut } from "./cells/limits.ts";
import { mqttCells, mqttLeftOut } from "./cells/mqtt.ts";
import { nftCells, nftLeftOut } from "./cells/nft.ts";
import { openwrtCells, openwrtLeftOut } from "./cells/openwrt.ts";
import { pluginCells, pluginLeftOut } from "./cells/plugin.ts";
import { runDirCells, runDirLeftOut } from "./cells/run-dir.ts";

export const CELLS: readonly Cell[] = [
	...nftCells,
	...birdCells,
	...mqttCells,
	...openwrtCells,
	...pluginCells,
	...runDirCells,
	...flashCells,
	...kernelCells,
	...limitCells,
];

export const LEFT_OUT: readonly LeftOut[] = [
	...nftLeftOut,
	...birdLeftOut,
	...mqttLeftOut,
	...openwrtLeftOut,
	...pluginLeftOut,
	...runDirLeftOut,
	...flashLeftOut,
	...kernelLeftOut,
	...limitLeftOut,
];

/** The modes that a cell is played in, in this world. */
export function modes({ modes = ["installed"] }: Cell): readonly Mode[] {
	return canOwn ? modes : modes.filter((mode) => mode === "installed");
}

/** Why a place of the table is empty. */
export function reason(dependency: string, fault: string): string | undefined {
	return LEFT_OUT.find((left) => left.dependency === dependency && left.faults.some((one) => one === fault))
		?.why;
}

/** Every fault of every dependency is played, or is left out with a reason; never both. @returns those that are not */
export function gaps(): string[] {
	return DEPENDENCIES.flatMap((dependency) =>
		FAULTS.flatMap((fault) => {
			const played = CELLS.some((cell) => cell.dependency === dependency && cell.fault === fault);
			return played === (reason(dependency, fault) === undefined) ? [] : [`${dependency}: ${fault}`];
		}),
	);
}
