import { encodeUtf8 } from "../lib/utf8.ts";
import { QuickJsChild } from "./quickjs-child.ts";
import { Children, Reserve } from "./quickjs-children.ts";
import { QuickJsFiles } from "./quickjs-files.ts";
import { listen, openFullPipe } from "./quickjs-pipe.ts";
import type { FifoReader, Platform, SignalName, Timer } from "./types.ts";
import { FIFO_FULL, FIFO_PATIENCE, FileError } from "./types.ts";

const ENOENT = 2;
const ESRCH = 3;

/** The platform on the router: Bellard's QuickJS 2025-04-26 or newer. */
export async function createPlatform(): Promise<Platform> {
	const std = await import("std");
	// biome-ignore lint/style/useNodejsImportProtocol: this is QuickJS's own module of that name
	const os = (await import("os")) as unknown as QuickJsOs;
	// QuickJS exports no SIGHUP and no SIGKILL; these two have the same number on every Linux.
	const signals: Record<SignalName, number> = {
		SIGHUP: 1,
		SIGINT: os.SIGINT,
		SIGKILL: 9,
		SIGTERM: os.SIGTERM,
		SIGUSR1: os.SIGUSR1,
		SIGSTOP: os.SIGSTOP,
		SIGCONT: os.SIGCONT,
	};
	// A handler, not "ignore": ignored signals stay ignored in children.
	os.signal(os.SIGPIPE, () => {});
	// Whoever has started this one may have had it ignored: then nobody learns how a child ended.
	os.signal(os.SIGCHLD, null);
	const after = (milliseconds: number, callback: () => void): Timer => {
		// QuickJS counts in whole milliseconds cut off at both ends: one more keeps "never before".
		const timer = os.setTimeout(callback, milliseconds <= 0 ? 0 : Math.ceil(milliseconds) + 1);
		return { cancel: () => os.clearTimeout(timer) };
	};
	const devNull = os.open("/dev/null", os.O_RDWR);
	const reserve = new Reserve(os);
	const children = new Children(after, std.gc);
	const failure = (operation: string, path: string, errno: number) =>
		new FileError(operation, path, std.strerror(-errno), errno === -ENOENT);

	return {
		engine: "quickjs",
		pid: os.getpid(),
		get childCount() {
			return children.count;
		},
		args: (globalThis as unknown as { scriptArgs: string[] }).scriptArgs.slice(1),
		now: () => ({ monotonic: os.now(), wall: Date.now() }),
		after,
		spawn: (options) => new QuickJsChild({ os, signals, devNull, after, reserve, children }, options),
		async openFullPipe() {
			// qjs ends the process for a promise that is rejected before anybody awaits it.
			await undefined;
			return reserve.lend(() => openFullPipe(os, after));
		},
		onSignal: (signal, handler) => os.signal(signals[signal], handler),
		processExists: (pid) => os.kill(pid, 0) !== -ESRCH,
		kill: (pid, signal) => void (pid > 0 && os.kill(pid, signals[signal])),
		files: new QuickJsFiles(os, std.strerror),
		openFifo(path, onChunk): FifoReader {
			const fd = os.open(path, os.O_RDWR);
			if (fd < 0) throw failure("open", path, fd);
			const buffer = new ArrayBuffer(4096);
			return listen(os, fd, () => {
				const count = os.read(fd, buffer, 0, buffer.byteLength);
				if (count > 0) onChunk(new Uint8Array(buffer.slice(0, count)));
			});
		},
		async writeFifo(path, text) {
			// qjs ends the process for a promise that is rejected before anybody awaits it.
			await undefined;
			// Read and write: opening a FIFO for writing alone waits for a reader, perhaps for ever.
			const fd = os.open(path, os.O_RDWR);
			if (fd < 0) throw failure("open", path, fd);
			// A pipe that is said to be writable takes a message of this size at once; a full one is never said to be.
			const hasRoom = await new Promise<boolean>((resolve) => {
				const end = (seen: boolean) => {
					timer.cancel();
					os.setWriteHandler(fd, null);
					resolve(seen);
				};
				const timer = after(FIFO_PATIENCE, () => end(false));
				os.setWriteHandler(fd, () => end(true));
			});
			const bytes = encodeUtf8(text);
			const count = hasRoom ? os.write(fd, bytes.buffer as ArrayBuffer, 0, bytes.length) : 0;
			os.close(fd);
			if (!hasRoom) throw new FileError("write", path, FIFO_FULL, false);
			if (count < 0) throw failure("write", path, count);
		},
		print(stream, text) {
			const file = stream === "stdout" ? std.out : std.err;
			file.puts(text);
			file.flush();
		},
		isTerminal: (stream) => os.isatty(stream === "stdout" ? 1 : 2),
		environment: (name) => std.getenv(name),
		setEnvironment: (name, value) => std.setenv(name, value),
		exit(code) {
			children.end();
			return std.exit(code);
		},
		random: Math.random,
	};
}
