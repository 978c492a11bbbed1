import { decodeUtf8 } from "./utf8.ts";

const NEWLINE = 0x0a;

/** One line of a child's output, without its line end. */
export interface Line {
	readonly text: string;
	/** The line was longer than the limit; `text` is its beginning. */
	readonly truncated: boolean;
}

/**
 * Cuts a stream of chunks into lines. A line over the limit is delivered once, cut, and the rest of it thrown away, so
 * that a child gone mad costs at most `limit` bytes. The end of a stream without a newline is not a line.
 */
export class LineSplitter {
	private pieces: Uint8Array[] = [];
	private length = 0;
	private skipping = false;

	/** @param limit bytes a line may have, default 64 KiB */
	constructor(
		private readonly onLine: (line: Line) => void,
		private readonly limit = 65_536,
	) {}

	/** Takes the next chunk and delivers the lines that it completes. */
	push(chunk: Uint8Array): void {
		for (let start = 0; start < chunk.length; ) {
			const newline = chunk.indexOf(NEWLINE, start);
			const end = newline < 0 ? chunk.length : newline;
			if (!this.skipping) this.append(chunk.subarray(start, end));
			if (newline < 0) return;
			if (this.skipping) this.skipping = false;
			else this.deliver(false);
			start = newline + 1;
		}
	}

	private append(piece: Uint8Array): void {
		if (this.length + piece.length <= this.limit) {
			this.pieces.push(piece);
			this.length += piece.length;
			return;
		}
		this.pieces.push(piece.subarray(0, this.limit - this.length));
		this.deliver(true);
		this.skipping = true;
	}

	private deliver(truncated: boolean): void {
		const text = decodeUtf8(this.joined());
		this.pieces = [];
		this.length = 0;
		this.onLine({ text: text.endsWith("\r") ? text.slice(0, -1) : text, truncated });
	}

	private joined(): Uint8Array {
		if (this.pieces.length === 1) return this.pieces[0] ?? new Uint8Array();
		return concatenate(this.pieces);
	}
}

/** The pieces as one array. */
export function concatenate(pieces: readonly Uint8Array[]): Uint8Array {
	const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
	let at = 0;
	for (const piece of pieces) {
		whole.set(piece, at);
		at += piece.length;
	}
	return whole;
}
