import type { FullPipe } from "./types.ts";

const PIECE = 4096;

/**
 * Node has no pipe(2): a FIFO that loses its name as soon as it is open. It is opened twice, since O_NONBLOCK belongs to
 * an open file and whoever writes later has to wait.
 * @throws Error when it cannot be made
 */
export async function openFullPipe(): Promise<FullPipe> {
	const fs = await import("node:fs");
	const { tmpdir } = await import("node:os");
	const { execFileSync } = await import("node:child_process");
	const directory = fs.mkdtempSync(`${tmpdir()}/bgpwarden-`);
	const path = `${directory}/pipe`;
	let both: number;
	let writeEnd: number;
	try {
		execFileSync("mkfifo", ["-m", "600", path]);
		both = fs.openSync(path, fs.constants.O_RDWR | fs.constants.O_NONBLOCK);
		writeEnd = fs.openSync(path, fs.constants.O_WRONLY);
	} finally {
		fs.rmSync(directory, { recursive: true, force: true });
	}
	const piece = Buffer.alloc(PIECE);
	try {
		for (;;) fs.writeSync(both, piece);
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
	}
	return {
		descriptor: writeEnd,
		close() {
			fs.closeSync(writeEnd);
			fs.closeSync(both);
		},
	};
}
