import { concatenate } from "../lib/lines.ts";
import { decodeUtf8, encodeUtf8 } from "../lib/utf8.ts";
import type { FileStatus, Files } from "./types.ts";
import { FileError, fifoInPlace } from "./types.ts";

const ENOENT = 2;
const EEXIST = 17;
const ENOTDIR = 20;
const READ_PIECE = 65_536;
/** For files that are only passed through. */
const SMALL_PIECE = 8192;
const NEWLINE = 0x0a;

/**
 * O_SYNC, which QuickJS does not export: each write is on the disk when it returns (open(2)). Its number is another one on
 * MIPS, and so is that of O_CREAT (Linux, include/uapi/asm-generic/fcntl.h and arch/mips/include/uapi/asm/fcntl.h).
 */
const SYNC = { usual: 0x101000, mips: 0x4010 } as const;
const MIPS_CREAT = 0x100;

/** Files over QuickJS's `os`, whose calls return -errno. */
export class QuickJsFiles implements Files {
	constructor(
		private readonly os: QuickJsOs,
		private readonly strerror: (errno: number) => string,
	) {}

	read(path: string, limit = 1 << 20): string {
		const obstacle = fifoInPlace(this, path);
		if (obstacle) throw obstacle;
		const fd = this.checked("read", path, this.os.open(path, this.os.O_RDONLY));
		try {
			const pieces: Uint8Array[] = [];
			const buffer = new ArrayBuffer(READ_PIECE);
			let length = 0;
			for (;;) {
				const count = this.checked("read", path, this.os.read(fd, buffer, 0, READ_PIECE));
				if (count === 0) return decodeUtf8(concatenate(pieces));
				length += count;
				if (length > limit) throw new FileError("read", path, `larger than ${limit} bytes`, false);
				pieces.push(new Uint8Array(buffer.slice(0, count)));
			}
		} finally {
			this.os.close(fd);
		}
	}

	replace(
		path: string,
		text: string | Iterable<string | Uint8Array>,
		{ mode = 0o644, durable = false }: { mode?: number; durable?: boolean } = {},
	): void {
		const beside = `${path}.new`;
		const { O_EXCL, O_CREAT } = this.os;
		try {
			this.os.remove(beside);
			const sync = durable ? (O_CREAT === MIPS_CREAT ? SYNC.mips : SYNC.usual) : 0;
			this.write(path, beside, O_EXCL | sync, text, mode);
			this.checked("rename", path, this.os.rename(beside, path));
		} catch (error) {
			this.os.remove(beside);
			throw error;
		}
	}

	append(path: string, text: string): void {
		if (this.readLink(path) !== undefined || fifoInPlace(this, path)) this.os.remove(path);
		this.write(path, path, this.os.O_APPEND, text, 0o644);
	}

	countLines(path: string): number {
		let count = 0;
		this.eachPiece(path, (piece) => {
			for (let at = piece.indexOf(NEWLINE); at >= 0; at = piece.indexOf(NEWLINE, at + 1)) count++;
		});
		return count;
	}

	dropLines(path: string, count: number): void {
		const beside = `${path}.new`;
		const { O_WRONLY, O_CREAT, O_EXCL } = this.os;
		const flags = O_WRONLY | O_CREAT | O_EXCL;
		this.os.remove(beside);
		const target = this.checked("write", path, this.os.open(beside, flags, 0o644));
		try {
			let left = count;
			this.eachPiece(path, (piece) => {
				let at = 0;
				while (left > 0 && at < piece.length) {
					const newline = piece.indexOf(NEWLINE, at);
					if (newline < 0) return;
					at = newline + 1;
					left--;
				}
				this.writeAll(path, target, piece.subarray(at));
			});
			this.checked("rename", path, this.os.rename(beside, path));
		} catch (error) {
			this.os.remove(beside);
			throw error;
		} finally {
			this.os.close(target);
		}
	}

	status(path: string): FileStatus | undefined {
		const [status, errno] = this.os.stat(path);
		if (errno !== 0 || !status) return undefined;
		return {
			kind: this.kind(status.mode & this.os.S_IFMT),
			inode: status.ino,
			size: status.size,
			modified: Math.floor(status.mtime),
		};
	}

	list(path: string): string[] {
		const [names, errno] = this.os.readdir(path);
		this.checked("list", path, -errno);
		return names.filter((name) => name !== "." && name !== "..").sort();
	}

	makeDirectory(path: string): void {
		const parts = path.split("/").filter(Boolean);
		for (let count = 1; count <= parts.length; count++) {
			const prefix = (path.startsWith("/") ? "/" : "") + parts.slice(0, count).join("/");
			const result = this.os.mkdir(prefix, 0o755);
			if (result !== -EEXIST || this.status(prefix)?.kind !== "directory")
				this.checked("mkdir", path, result);
		}
	}

	remove(path: string): void {
		const result = this.os.remove(path);
		if (result !== -ENOENT) this.checked("remove", path, result);
	}

	rename(path: string, to: string): void {
		this.checked("rename", path, this.os.rename(path, to));
	}

	readLink(path: string): string | undefined {
		const [target, errno] = this.os.readlink(path);
		return errno === 0 ? target : undefined;
	}

	private write(
		named: string,
		path: string,
		how: number,
		text: string | Iterable<string | Uint8Array>,
		mode: number,
	): void {
		const { O_WRONLY, O_CREAT } = this.os;
		const fd = this.checked("write", named, this.os.open(path, O_WRONLY | O_CREAT | how, mode));
		try {
			const pieces = typeof text === "string" ? [text] : text;
			for (const piece of pieces)
				this.writeAll(named, fd, typeof piece === "string" ? encodeUtf8(piece) : piece);
		} finally {
			this.os.close(fd);
		}
	}

	private writeAll(named: string, fd: number, bytes: Uint8Array): void {
		for (let at = 0; at < bytes.length; ) {
			const [buffer, from] = [bytes.buffer as ArrayBuffer, bytes.byteOffset + at];
			at += this.checked("write", named, this.os.write(fd, buffer, from, bytes.length - at));
		}
	}

	private eachPiece(path: string, onPiece: (piece: Uint8Array) => void): void {
		const obstacle = fifoInPlace(this, path);
		if (obstacle) throw obstacle;
		const fd = this.checked("read", path, this.os.open(path, this.os.O_RDONLY));
		try {
			const buffer = new ArrayBuffer(SMALL_PIECE);
			for (;;) {
				const count = this.checked("read", path, this.os.read(fd, buffer, 0, SMALL_PIECE));
				if (count === 0) return;
				onPiece(new Uint8Array(buffer, 0, count));
			}
		} finally {
			this.os.close(fd);
		}
	}

	private kind(type: number): FileStatus["kind"] {
		if (type === this.os.S_IFREG) return "file";
		if (type === this.os.S_IFDIR) return "directory";
		if (type === this.os.S_IFIFO) return "fifo";
		return type === this.os.S_IFSOCK ? "socket" : "other";
	}

	private checked(operation: string, path: string, result: number): number {
		if (result >= 0) return result;
		const missing = result === -ENOENT || result === -ENOTDIR;
		throw new FileError(operation, path, this.strerror(-result), missing);
	}
}
