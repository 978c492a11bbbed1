/** The parts of QuickJS's `std` and `os` modules that are used (https://bellard.org/quickjs/quickjs.html). */
declare module "std" {
	/** Runs the cycle collector. */
	export function gc(): void;
	export function exit(code: number): never;
	export function getenv(name: string): string | undefined;
	export function setenv(name: string, value: string): void;
	export function strerror(errno: number): string;
	export interface StdFile {
		puts(text: string): void;
		flush(): void;
	}
	export const out: StdFile;
	export const err: StdFile;
}

/** Declared apart from the module of the same name that Node.js has. */
declare interface QuickJsOs {
	/** Negative results are -errno. */
	open(path: string, flags: number, mode?: number): number;
	close(fd: number): number;
	read(fd: number, buffer: ArrayBuffer, offset: number, length: number): number;
	write(fd: number, buffer: ArrayBuffer, offset: number, length: number): number;
	isatty(fd: number): boolean;
	remove(path: string): number;
	rename(from: string, to: string): number;
	mkdir(path: string, mode?: number): number;
	readdir(path: string): [names: string[], errno: number];
	readlink(path: string): [target: string, errno: number];
	stat(
		path: string,
	): [status: { mode: number; ino: number; size: number; mtime: number }, errno: number] | [null, number];
	pipe(): [read: number, write: number] | null;
	exec(
		argv: readonly string[],
		options: { block?: boolean; usePath?: boolean; stdin?: number; stdout?: number; stderr?: number },
	): number;
	waitpid(pid: number, options: number): [pid: number, status: number];
	kill(pid: number, signal: number): number;
	signal(signal: number, handler: (() => void) | null | undefined): void;
	setReadHandler(fd: number, handler: (() => void) | null): void;
	setWriteHandler(fd: number, handler: (() => void) | null): void;
	setTimeout(callback: () => void, milliseconds: number): object;
	clearTimeout(timer: object): void;
	now(): number;
	getpid(): number;
	readonly WNOHANG: number;
	readonly O_RDONLY: number;
	readonly O_WRONLY: number;
	readonly O_RDWR: number;
	readonly O_APPEND: number;
	readonly O_CREAT: number;
	readonly O_EXCL: number;
	readonly O_TRUNC: number;
	readonly S_IFMT: number;
	readonly S_IFREG: number;
	readonly S_IFDIR: number;
	readonly S_IFIFO: number;
	readonly S_IFSOCK: number;
	readonly SIGCHLD: number;
	readonly SIGCONT: number;
	readonly SIGINT: number;
	readonly SIGPIPE: number;
	readonly SIGSTOP: number;
	readonly SIGTERM: number;
	readonly SIGUSR1: number;
}
