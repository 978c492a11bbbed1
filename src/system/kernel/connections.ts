import type { Connection } from "../../model/connection.ts";
import { FileError, type Files } from "../../platform/types.ts";
import { readTcpSockets } from "./tcp-sockets.ts";

/**
 * Which of the connections this router has a socket for, in whatever state.
 * @returns undefined: /proc does not tell
 */
export function connectionsHere(
	files: Files,
	connections: readonly Connection[],
): ReadonlySet<Connection> | undefined {
	try {
		const sockets = readTcpSockets(files);
		return new Set(
			connections.filter(({ localAddress, localPort, peerAddress, peerPort }) =>
				sockets.some(
					(socket) =>
						socket.localAddress === localAddress &&
						socket.localPort === localPort &&
						socket.remoteAddress === peerAddress &&
						socket.remotePort === peerPort,
				),
			),
		);
	} catch (error) {
		if (!(error instanceof FileError)) throw error;
		return undefined;
	}
}
