import { type BirdProtocol, type Protocol, type ProtocolPeer, parseProtocol } from "./parse-protocols.ts";
import type { Reply } from "./replies.ts";

/** Codes of the lines: the table's heading, a protocol's row, and what is below it. */
const HEADING = 2002;
const PROTOCOL = 1002;
const DETAIL = 1006;

/** One protocol of the answer. */
interface Block extends Protocol {
	/**
	 * The lines below its row: the text up to a timer, how the timer's line begins, the text behind that line up to the next timer,
	 * and so on.
	 */
	readonly parts: readonly string[];
}

/**
 * Reads answers to `show protocols all`, of BIRD 2.0 to 3.x, templates (`Neighbor range`) among them, as they come and one after
 * the other. A protocol about which an answer says the same as the one before, but for its timers, is not looked at again, and
 * is the same object: with a thousand peers, nearly all are.
 */
export class ProtocolReader {
	/** By row: of the answer before, and of this one. */
	private known: ReadonlyMap<string, Block> = new Map();
	private blocks = new Map<string, Block>();
	/** Equal parts are one string: of a thousand peers most are. */
	private shared = new Map<string, string>();
	private begun = false;
	private row: string | undefined;
	/** The block with the same row, as long as nothing differs from it: the part that comes next, and how much of it has come. */
	private before: Block | undefined;
	private part = 0;
	private offset = 0;
	/** The lines so far, once something differs. */
	private lines: string[] = [];

	/** Another answer begins. */
	begin(): void {
		this.blocks = new Map();
		this.begun = false;
		this.row = undefined;
		this.before = undefined;
	}

	/**
	 * Takes lines of it, as BIRD's client prints them.
	 * @param text whole lines, each with its newline
	 * @param from where the first of them begins
	 * @returns where a line begins that is none of this answer, or out of place; the text's length: there is none
	 */
	take(text: string, from = 0): number {
		let at = from;
		while (at < text.length) {
			if (this.before) at = this.skip(text, at, this.before);
			if (this.before || at === text.length) continue;
			const end = text.indexOf("\n", at);
			if (!this.takeLine(text.slice(at, end))) return at;
			at = end + 1;
		}
		return at;
	}

	/** The answer is complete. @returns undefined when it is cut */
	end(): { readonly peers: ProtocolPeer[]; readonly protocols: BirdProtocol[] } | undefined {
		if (this.row !== undefined) return undefined;
		this.known = this.blocks;
		if (this.shared.size > this.blocks.size + PARTS_KEPT) this.shared = new Map();
		const all = [...this.blocks.values()];
		return {
			peers: all.flatMap(({ peer }) => peer ?? []),
			protocols: all.map(({ protocol }) => protocol),
		};
	}

	/** Passes over what is the same as before, without a look at its lines. @returns where that ends */
	private skip(text: string, from: number, block: Block): number {
		let at = from;
		while (at < text.length) {
			const part = block.parts[this.part] ?? "";
			if (this.part % 2 === 1) {
				// A timer counts down on the same line.
				if (!text.startsWith(part, at)) break;
				at = text.indexOf("\n", at) + 1;
			} else {
				const left = this.offset === 0 ? part : part.slice(this.offset);
				if (!text.startsWith(left, at)) {
					// All that has come of it may be the same.
					if (text.length - at >= left.length || !left.startsWith(text.slice(at))) break;
					this.offset += text.length - at;
					return text.length;
				}
				at += left.length;
			}
			this.offset = 0;
			if (++this.part < block.parts.length) continue;
			this.blocks.set(this.row ?? "", block);
			this.row = undefined;
			this.before = undefined;
			return at;
		}
		if (at < text.length) {
			this.lines = linesOf(block.parts, this.part, this.offset);
			this.before = undefined;
		}
		return at;
	}

	private takeLine(line: string): boolean {
		if (this.row !== undefined) return this.takeDetail(line);
		if (line.startsWith(ROW_CODE)) {
			this.begun = true;
			this.row = line.slice(ROW_CODE.length);
			this.before = this.known.get(this.row);
			this.part = 0;
			this.offset = 0;
			this.lines = [];
			return true;
		}
		if (this.begun || !line.startsWith(HEADING_CODE)) return line.trim() === "" && this.begun;
		this.begun = true;
		return true;
	}

	private takeDetail(line: string): boolean {
		const isFirst = line.startsWith(DETAIL_CODE);
		if (!isFirst && !line.startsWith(CONTINUATION)) return false;
		this.lines.push(line);
		// BIRD ends each protocol with an empty line, so its absence is a cut.
		if (line.trim() !== "" && !(isFirst && line.length === DETAIL_CODE.length)) return true;
		const { row = "" } = this;
		this.row = undefined;
		const details = this.lines.slice(0, -1).map((each) => each.slice(CONTINUATION.length));
		const protocol = parseProtocol(row, details);
		const parts = partsOf(this.lines, (part) => this.share(part));
		if (protocol) this.blocks.set(row, { ...protocol, parts });
		return protocol !== undefined;
	}

	private share(part: string): string {
		const known = this.shared.get(part);
		if (known !== undefined) return known;
		this.shared.set(part, part);
		return part;
	}
}

const HEADING_CODE = `${HEADING}-`;
const ROW_CODE = `${PROTOCOL}-`;
const DETAIL_CODE = `${DETAIL}-`;
const CONTINUATION = " ".repeat(DETAIL_CODE.length);
/** Lines that count down, in none of which is anything that a peer consists of. */
const TIMER = /^ {9}(?:[A-Z][A-Za-z ]* timer|Connect delay|Error wait):/;
/** Parts that are remembered of all answers, besides one for each protocol; then it begins anew. */
const PARTS_KEPT = 1000;

/** @param share makes equal texts one */
function partsOf(lines: readonly string[], share: (part: string) => string): string[] {
	const parts: string[] = [];
	let text: string[] = [];
	const add = (last: string) => {
		const part = [...text, last].join("\n");
		// What comes first has the peer's address in it.
		parts.push(parts.length === 0 ? part : share(part));
		text = [];
	};
	for (const line of lines) {
		const timer = TIMER.exec(line)?.[0];
		if (timer === undefined) text.push(line);
		else {
			add("");
			parts.push(share(timer));
		}
	}
	add("");
	return parts;
}

/** The lines of the first `count` parts, without what timers said, and of the next `length` characters. */
function linesOf(parts: readonly string[], count: number, length: number): string[] {
	const whole = parts.slice(0, count).map((part, index) => (index % 2 === 1 ? `${part}\n` : part));
	const text = whole.join("") + (parts[count] ?? "").slice(0, length);
	return text.split("\n").slice(0, -1);
}

/**
 * The BGP protocols of one whole answer to `show protocols all`, in BIRD's order.
 * @returns undefined when the answer is an error, is cut or is anything else
 */
export function parseProtocols(reply: Reply): ProtocolPeer[] | undefined {
	if (reply.error !== undefined) return undefined;
	const reader = new ProtocolReader();
	const lines = reply.lines.map(
		({ code, text }) => `${code === DETAIL ? CONTINUATION : `${code}-`}${text}\n`,
	);
	return lines.every((line) => reader.take(line) === line.length) ? reader.end()?.peers : undefined;
}
