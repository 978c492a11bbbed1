import type { BirdFile } from "../../../model/bird-configuration.ts";
import { FileError, type Files } from "../../../platform/types.ts";
import { expandPattern } from "./glob.ts";
import { parseBirdConfiguration } from "./parse-conf.ts";
import { MOST_DEPTH, type SourceFile } from "./tokens.ts";

/** OpenWrt's, Debian's, and what BIRD's own build takes. */
const USUAL_PATHS = ["/etc/bird.conf", "/etc/bird/bird.conf", "/usr/local/etc/bird.conf"] as const;
/** Bytes of all files together: a slow router reads them for seconds, in which it does nothing else. */
const LIMIT = 1 << 20;
/** Files, and patterns that stand for some. */
const MOST_INCLUDES = 1000;
/** Names in directories that are looked at for all patterns. */
const MOST_NAMES = 10_000;

/**
 * Finds and reads the configuration of the BIRD that runs here, included files too.
 * @param socket control socket of the BIRD that is meant, where several run; empty: any
 * @returns or one line that says why there is none
 */
export function readBirdConfiguration(files: Files, socket = ""): BirdFile | { readonly error: string } {
	const running = runningConfiguration(files, socket);
	const path = running ?? USUAL_PATHS.find((each) => files.status(each)?.kind === "file");
	if (path === undefined) return { error: `no configuration of BIRD at ${USUAL_PATHS.join(", ")}` };
	return readBirdFile(files, path);
}

/** Reads one configuration file and what it includes. @returns or one line that says why it cannot be read */
export function readBirdFile(files: Files, path: string): BirdFile | { readonly error: string } {
	const problems: string[] = [];
	/** Half of a configuration says wrong things: beyond the limits there is none. */
	let tooMuch: string | undefined;
	const left = { includes: MOST_INCLUDES, bytes: LIMIT, names: MOST_NAMES };
	const countInclude = () => {
		if (--left.includes < 0) tooMuch ??= `more than ${MOST_INCLUDES} includes`;
	};
	const read = (each: string): SourceFile[] => {
		countInclude();
		if (tooMuch !== undefined) return [];
		try {
			const text = files.read(each, LIMIT);
			left.bytes -= text.length;
			if (left.bytes < 0) tooMuch = `more than ${LIMIT} bytes, with what it includes`;
			return tooMuch === undefined ? [{ path: each, text }] : [];
		} catch (error) {
			problems.push(complaint(error));
			return [];
		}
	};
	const include = (pattern: string, from: string, depth: number): SourceFile[] => {
		const absolute = pattern.startsWith("/") ? pattern : `${directory(from)}/${pattern}`;
		if (depth >= MOST_DEPTH) tooMuch ??= `${from}: an include inside ${MOST_DEPTH - 1} others`;
		countInclude();
		if (tooMuch !== undefined) return [];
		try {
			const found = expandPattern(files, absolute, left);
			// A directory that matches is passed over (conf/cf-lex.l, cf_include).
			return found.filter((each) => files.status(each)?.kind !== "directory").flatMap(read);
		} catch (error) {
			if (left.names < 0) tooMuch ??= complaint(error);
			problems.push(complaint(error));
			return [];
		}
	};
	const [main] = read(path);
	if (!main) return { error: problems[0] ?? `${path}: cannot be read` };
	const configuration = parseBirdConfiguration(main, include, () => {
		tooMuch ??= "too many words, with what templates bring";
	});
	if (tooMuch !== undefined) return { error: `${path}: ${tooMuch}` };
	const { onlyBird1 } = configuration;
	if (onlyBird1 !== undefined)
		problems.unshift(
			`this is a file for BIRD 1, which alone takes "${onlyBird1}" here; BIRD 2 and 3 need channels (\`ipv4 { … };\`)`,
		);
	return { path, configuration, problems };
}

/**
 * The file that the running BIRD was started with. Only processes of this network namespace count: a container's BIRD is
 * another router's.
 */
function runningConfiguration(files: Files, socket: string): string | undefined {
	const here = files.readLink("/proc/self/ns/net");
	for (const pid of processIds(files)) {
		if (readOrNothing(files, `/proc/${pid}/comm`).trim() !== "bird") continue;
		if (files.readLink(`/proc/${pid}/ns/net`) !== here) continue;
		const argv = readOrNothing(files, `/proc/${pid}/cmdline`).split("\0");
		if (socket !== "" && (option(argv, "-s") ?? socket) !== socket) continue;
		const path = option(argv, "-c");
		if (path === undefined) continue;
		if (path.startsWith("/")) return path;
		const workingDirectory = files.readLink(`/proc/${pid}/cwd`);
		if (workingDirectory !== undefined) return `${workingDirectory}/${path}`;
	}
	return undefined;
}

/** The value of a one-letter option, `-c FILE` or `-cFILE`. */
function option(argv: readonly string[], name: string): string | undefined {
	const at = argv.findIndex((word, index) => index > 0 && word.startsWith(name));
	if (at < 0) return undefined;
	const value = argv[at] === name ? argv[at + 1] : argv[at]?.slice(name.length);
	return value === "" ? undefined : value;
}

function processIds(files: Files): string[] {
	try {
		return files.list("/proc").filter((name) => /^\d+$/.test(name));
	} catch {
		return [];
	}
}

function directory(path: string): string {
	return path.slice(0, Math.max(path.lastIndexOf("/"), 0));
}

function readOrNothing(files: Files, path: string): string {
	try {
		return files.read(path, 8192);
	} catch {
		return "";
	}
}

function complaint(error: unknown): string {
	if (error instanceof FileError) return `${error.path}: ${error.reason}`;
	throw error;
}
