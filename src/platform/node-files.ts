import type { FileStatus, Files } from "./types.ts";
import { FileError, fifoInPlace } from "./types.ts";

type FsModule = typeof import("node:fs");

/** Bytes of a file that has no limit. */
const WHOLE = 64 << 20;

/** Files over Node's `fs`. */
export class NodeFiles implements Files {
	constructor(private readonly fs: FsModule) {}

	read(path: string, limit = 1 << 20): string {
		const obstacle = fifoInPlace(this, path);
		if (obstacle) throw obstacle;
		return attempt("read", path, () => {
			const fd = this.fs.openSync(path, "r");
			try {
				const whole = Buffer.alloc(limit + 1);
				let length = 0;
				for (;;) {
					const count = this.fs.readSync(fd, whole, length, whole.length - length, null);
					if (count === 0) return whole.toString("utf8", 0, length);
					length += count;
					if (length > limit) throw new FileError("read", path, `larger than ${limit} bytes`, false);
				}
			} finally {
				this.fs.closeSync(fd);
			}
		});
	}

	replace(
		path: string,
		text: string | Iterable<string | Uint8Array>,
		{ mode = 0o644, durable = false }: { mode?: number; durable?: boolean } = {},
	): void {
		const beside = `${path}.new`;
		try {
			attempt("write", path, () => {
				this.fs.rmSync(beside, { force: true });
				// `x`: what is there meanwhile, a link too, is not written to.
				const pieces = typeof text === "string" ? [text] : [...text];
				const bytes = pieces.map((piece) => (typeof piece === "string" ? Buffer.from(piece) : piece));
				this.fs.writeFileSync(beside, Buffer.concat(bytes), { mode, flag: "wx", flush: durable });
			});
			attempt("rename", path, () => this.fs.renameSync(beside, path));
		} catch (error) {
			this.fs.rmSync(beside, { force: true });
			throw error;
		}
	}

	append(path: string, text: string): void {
		if (this.readLink(path) !== undefined || fifoInPlace(this, path)) this.remove(path);
		attempt("write", path, () => this.fs.appendFileSync(path, text));
	}

	countLines(path: string): number {
		return this.read(path, WHOLE).split("\n").length - 1;
	}

	dropLines(path: string, count: number): void {
		const text = this.read(path, WHOLE);
		this.replace(path, text.split("\n").slice(count).join("\n"));
	}

	status(path: string): FileStatus | undefined {
		try {
			const stat = this.fs.statSync(path);
			const kind = stat.isFile()
				? "file"
				: stat.isDirectory()
					? "directory"
					: stat.isFIFO()
						? "fifo"
						: stat.isSocket()
							? "socket"
							: "other";
			return { kind, inode: stat.ino, size: stat.size, modified: Math.floor(stat.mtimeMs) };
		} catch {
			return undefined;
		}
	}

	list(path: string): string[] {
		return attempt("list", path, () => this.fs.readdirSync(path).sort());
	}

	makeDirectory(path: string): void {
		attempt("mkdir", path, () => this.fs.mkdirSync(path, { recursive: true, mode: 0o755 }));
	}

	remove(path: string): void {
		attempt("remove", path, () => this.fs.rmSync(path, { force: true }));
	}

	rename(path: string, to: string): void {
		attempt("rename", path, () => this.fs.renameSync(path, to));
	}

	readLink(path: string): string | undefined {
		try {
			return this.fs.readlinkSync(path);
		} catch {
			return undefined;
		}
	}
}

/** Runs a file operation and turns Node's error into the platform's. */
export function attempt<Result>(operation: string, path: string, action: () => Result): Result {
	try {
		return action();
	} catch (error) {
		if (error instanceof FileError) throw error;
		const { code, message } = error as NodeJS.ErrnoException;
		// Node's text is `ENOENT: no such file or directory, open '/x'`; the C library's starts with a capital.
		const words = /^[A-Z0-9]+: ([^,]+)/.exec(message)?.[1] ?? message;
		if (code === "EISDIR") throw new FileError(operation, path, "Is a directory", false);
		const reason = words.charAt(0).toUpperCase() + words.slice(1);
		throw new FileError(operation, path, reason, code === "ENOENT" || code === "ENOTDIR");
	}
}
