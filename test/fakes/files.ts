import { decodeUtf8 } from "../../src/lib/utf8.ts";
import { FileError, type FileStatus, type Files } from "../../src/platform/types.ts";

interface Entry {
	readonly kind: FileStatus["kind"];
	readonly text: string;
	readonly inode: number;
	readonly modified: number;
}

/** Files in memory. A directory exists when something is in it or when it was made. */
export class FakeFiles implements Files {
	private readonly entries = new Map<string, Entry>();
	private readonly links = new Map<string, string>();
	private readonly failures = new Map<string, string>();
	private lastInode = 100;

	/** @param wall tells milliseconds since 1970, for modification times */
	constructor(private readonly wall: () => number) {}

	/** Puts a file there, as another program would. */
	set(path: string, text: string, kind: FileStatus["kind"] = "file"): void {
		this.entries.set(path, { kind, text, inode: ++this.lastInode, modified: this.wall() });
	}

	/** Puts a socket there, in place of one that may be there. */
	setSocket(path: string): void {
		this.set(path, "", "socket");
	}

	setLink(path: string, target: string): void {
		this.links.set(path, target);
	}

	/** Each operation on this path fails from now on, with the operating system's words; undefined: no more. */
	fail(path: string, reason: string | undefined): void {
		if (reason === undefined) this.failures.delete(path);
		else this.failures.set(path, reason);
	}

	read(path: string, limit = 1 << 20): string {
		const entry = this.existing("read", path);
		if (entry.kind === "directory") throw new FileError("read", path, "Is a directory", false);
		if (entry.text.length > limit) throw new FileError("read", path, `more than ${limit} bytes`, false);
		return entry.text;
	}

	replace(path: string, pieces: string | Iterable<string | Uint8Array>): void {
		const all = typeof pieces === "string" ? [pieces] : [...pieces];
		const text = all.map((piece) => (typeof piece === "string" ? piece : decodeUtf8(piece))).join("");
		this.check("replace", path);
		this.set(path, text);
	}

	append(path: string, text: string): void {
		this.check("append", path);
		const old = this.entries.get(path);
		if (old) this.entries.set(path, { ...old, text: old.text + text, modified: this.wall() });
		else this.set(path, text);
	}

	countLines(path: string): number {
		return this.read(path, Number.POSITIVE_INFINITY).split("\n").length - 1;
	}

	dropLines(path: string, count: number): void {
		const lines = this.read(path, Number.POSITIVE_INFINITY).split("\n");
		this.replace(path, lines.slice(count).join("\n"));
	}

	status(path: string): FileStatus | undefined {
		const entry = this.failures.has(path) ? undefined : this.entries.get(path);
		if (entry) {
			const { kind, inode, modified, text } = entry;
			return { kind, inode, modified, size: text.length };
		}
		return this.below(path).length > 0 ? { kind: "directory", inode: 1, size: 0, modified: 0 } : undefined;
	}

	list(path: string): string[] {
		this.check("list", path);
		const kind = this.status(path)?.kind;
		if (kind === undefined) throw new FileError("list", path, "No such file or directory", true);
		if (kind !== "directory") throw new FileError("list", path, "Not a directory", false);
		const names = this.below(path).map((each) => each.slice(path.length + 1).split("/", 1)[0] ?? "");
		return [...new Set(names)].sort();
	}

	makeDirectory(path: string): void {
		this.check("mkdir", path);
		if (!this.status(path)) this.set(path, "", "directory");
	}

	remove(path: string): void {
		this.check("remove", path);
		this.entries.delete(path);
		this.links.delete(path);
	}

	rename(path: string, to: string): void {
		this.entries.set(to, this.existing("rename", path));
		this.links.delete(to);
		this.remove(path);
	}

	readLink(path: string): string | undefined {
		return this.links.get(path);
	}

	private existing(operation: string, path: string): Entry {
		this.check(operation, path);
		const entry = this.entries.get(path);
		if (!entry) throw new FileError(operation, path, "No such file or directory", true);
		return entry;
	}

	private check(operation: string, path: string): void {
		const reason = this.failures.get(path);
		if (reason !== undefined) throw new FileError(operation, path, reason, false);
	}

	private below(path: string): string[] {
		return [...this.entries.keys()].filter((each) => each.startsWith(`${path}/`));
	}
}
