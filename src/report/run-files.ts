import { concatenate } from "../lib/lines.ts";
import { Memo } from "../lib/memo.ts";
import { printable, toJson } from "../lib/printable.ts";
import { encodeUtf8 } from "../lib/utf8.ts";
import type { StoredEvent } from "../model/event.ts";
import { type EarlierOpens, type PeerOpen, SPEAKING_PROGRAMS } from "../model/speaker.ts";
import type { PeerStatus, Status } from "../model/status.ts";
import type { Files } from "../platform/types.ts";
import { FileError } from "../platform/types.ts";

/** Names in the run directory. */
export const STATUS_FILE = "status.json";
export const EVENTS_FILE = "events.jsonl";
/** Events that are kept; the file is cut back to this many once it has a fifth more. */
const KEPT = 500;
const CUT_AT = 600;
/** Peers that are written at a time. */
const TOGETHER = 32;
/** Bytes that 600 events stay under by far. */
const EVENTS_LIMIT = 1 << 20;

/** Writes the state for the command line and others to read. Every method returns what failed, or undefined. */
export class StatusFiles {
	/** What the file says: of the rest its text, of the peers the status that each was made from. */
	private last: { readonly rest: string; readonly peers: readonly PeerStatus[]; inode?: number } | undefined;
	/** Each peer's part of it, as it is written. */
	private readonly texts = new Memo<Uint8Array>();
	private lines: number | undefined;
	/** The last line may be a part of one: the disk was full in the middle of it. */
	private torn = false;

	/** @param directory the run directory */
	constructor(
		private readonly files: Files,
		private readonly directory: string,
	) {}

	/** Replaces status.json, if anything in it is new. */
	status(status: Status): string | undefined {
		const { peers, ...rest } = status;
		const text = toJson(rest);
		const { last } = this;
		const same = last?.rest === text && last.peers.length === peers.length;
		if (same && peers.every((peer, index) => peer === last.peers[index])) return undefined;
		return this.attempt(() => {
			this.files.replace(this.path(STATUS_FILE), this.pieces(text, peers));
			const inode = this.files.status(this.path(STATUS_FILE))?.inode;
			this.last = { rest: text, peers, ...(inode === undefined ? {} : { inode }) };
		});
	}

	/** Whether status.json is the one that was written last: somebody may have removed it, or the whole directory. */
	get isIntact(): boolean {
		return !this.last || this.files.status(this.path(STATUS_FILE))?.inode === this.last.inode;
	}

	/** Has status.json written again, and the events counted again. */
	forget(): void {
		this.last = undefined;
		this.lines = undefined;
	}

	/** The whole in pieces: of a thousand peers it has a megabyte. */
	private *pieces(rest: string, peers: readonly PeerStatus[]): Generator<string | Uint8Array> {
		this.texts.limit(peers.length);
		yield `${rest.slice(0, -1)},"peers":[`;
		for (let at = 0; at < peers.length; at += TOGETHER)
			yield concatenate(peers.slice(at, at + TOGETHER).map((peer, index) => this.textOf(peer, at + index)));
		yield "]}\n";
	}

	private textOf(peer: PeerStatus, index: number): Uint8Array {
		const isFirst = index === 0;
		return this.texts.get(peer.name, peer, isFirst, () => encodeUtf8(`${isFirst ? "" : ","}${toJson(peer)}`));
	}

	/** Adds a line to events.jsonl and cuts it back from time to time. */
	event(event: StoredEvent): string | undefined {
		return this.attempt(() => {
			this.lines ??= this.begin();
			const afresh = this.torn ? "\n" : "";
			this.torn = true;
			this.files.append(this.path(EVENTS_FILE), `${afresh}${toJson(event)}\n`);
			this.torn = false;
			this.lines++;
			if (this.lines < CUT_AT) return;
			this.files.dropLines(this.path(EVENTS_FILE), this.lines - KEPT);
			this.lines = KEPT;
		});
	}

	/** @returns how many events an earlier run has left */
	private begin(): number {
		const path = this.path(EVENTS_FILE);
		const size = this.files.status(path)?.size;
		if (size === undefined) return 0;
		if (size <= EVENTS_LIMIT) return this.files.countLines(path);
		// Nothing that the daemon wrote is that large: what somebody else put there is not kept.
		this.files.remove(path);
		return 0;
	}

	private path(name: string): string {
		return `${this.directory}/${name}`;
	}

	private attempt(action: () => void): string | undefined {
		try {
			action();
			return undefined;
		} catch (error) {
			if (error instanceof FileError) return error.message;
			throw error;
		}
	}
}

/** Bytes of status.json with 2,000 peers. */
const STATUS_LIMIT = 1 << 21;

/**
 * What status.json of an earlier run tells of the peers' speakers: a daemon that is started anew cannot ask a peer that is down.
 * @returns nothing where the file is missing or anything else
 */
export function earlierOpens(files: Files, directory: string): EarlierOpens {
	const opens = new Map<string, { readonly address: string; readonly open: PeerOpen }>();
	let peers: unknown;
	try {
		const status: unknown = JSON.parse(files.read(`${directory}/${STATUS_FILE}`, STATUS_LIMIT));
		peers = (status as Partial<Status> | null)?.peers;
	} catch (error) {
		if (!(error instanceof FileError || error instanceof SyntaxError)) throw error;
	}
	if (!Array.isArray(peers)) return opens;
	for (const peer of peers as readonly (Partial<Record<keyof PeerStatus, unknown>> | null)[]) {
		const { name, neighbor_address: address, node, speaker } = peer ?? {};
		if (typeof name !== "string" || typeof address !== "string") continue;
		const program = SPEAKING_PROGRAMS.find((each) => each === speaker);
		const hostname = typeof node === "string" ? printable(node, 64) : undefined;
		const open = { ...(hostname ? { hostname } : {}), ...(program ? { program } : {}) };
		opens.set(name, { address, open });
	}
	return opens;
}
