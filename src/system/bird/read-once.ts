import type { Platform } from "../../platform/types.ts";
import { type BirdReader, type BirdSnapshot, openReader, type ReaderFailure } from "./reader.ts";
import { findSocket, noSocket } from "./socket.ts";

/**
 * Reads a running BIRD once.
 * @param configured path of the control socket; empty: the usual places
 * @returns or why it cannot be read
 */
export function readBirdOnce(platform: Platform, configured: string): Promise<BirdSnapshot | ReaderFailure> {
	const socket = findSocket(platform, configured);
	if (!socket) return Promise.resolve({ reason: noSocket(configured), missing: false });
	return new Promise((resolve) => {
		const reader: BirdReader = openReader(platform, {
			socket: socket.path,
			onReady: () =>
				reader.read((snapshot) => {
					reader.close();
					resolve(snapshot);
				}),
			onFailure: resolve,
		});
	});
}
