import type { Socket } from "node:net";
import { type Packet, PacketReader } from "./mqtt-packets.ts";

/** Bytes that are written at once where the flood has no rate. */
const PIECE = 65_536;
/** Milliseconds between two pieces where it has one. */
const TICK = 5;

/** One connection of the daemon to a broker. */
export class Session {
	readonly filters = new Set<string>();
	/** When the attack on it began. */
	attackedAt: number | undefined;
	bytes = 0;
	private closed = false;

	constructor(
		private readonly socket: Socket,
		readonly number: number,
		onPacket: (session: Session, packet: Packet) => void,
		onClose: (session: Session) => void,
	) {
		const reader = new PacketReader((packet) => onPacket(this, packet));
		socket.setNoDelay(true);
		socket.on("data", (chunk) => reader.push(chunk));
		socket.on("error", () => undefined);
		socket.on("close", () => {
			this.closed = true;
			onClose(this);
		});
	}

	/** @returns whether there is room for more */
	send(...pieces: readonly Uint8Array[]): boolean {
		if (this.closed) return false;
		const bytes = Buffer.concat(pieces);
		this.bytes += bytes.length;
		return this.socket.write(bytes);
	}

	/** Closes it after what was sent. */
	end(): void {
		this.socket.end();
	}

	/** Closes it at once, with an RST. */
	reset(): void {
		this.socket.resetAndDestroy();
	}

	later(milliseconds: number, action: () => void): void {
		setTimeout(() => {
			if (!this.closed) action();
		}, milliseconds);
	}

	/**
	 * Sends message after message for as long as the connection lasts, or `count` of them.
	 * @param perSecond absent: as fast as the other side takes them
	 */
	flood(
		make: (index: number) => Uint8Array,
		{ perSecond, count = Number.POSITIVE_INFINITY }: { perSecond?: number; count?: number } = {},
	): void {
		const start = performance.now();
		let index = 0;
		const more = (): void => {
			if (this.closed || index >= count) return;
			const pieces: Uint8Array[] = [];
			const due =
				perSecond === undefined ? Number.POSITIVE_INFINITY : ((performance.now() - start) * perSecond) / 1000;
			for (let bytes = 0; index < Math.min(due, count) && bytes < PIECE; ) {
				const message = make(index++);
				pieces.push(message);
				bytes += message.length;
			}
			if (!this.send(...pieces)) this.socket.once("drain", more);
			else if (perSecond === undefined) setImmediate(more);
			else setTimeout(more, TICK);
		};
		more();
	}
}
