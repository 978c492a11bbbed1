import type { Duplex as DuplexStream } from "readable-stream";
import { decodeUtf8, encodeUtf8 } from "../../lib/utf8.ts";
import type { MqttConfig } from "../../model/config.ts";
import type { Child, ExitStatus, Platform } from "../../platform/types.ts";
import { PacketGuard } from "./packets.ts";

/** Bytes of one incoming message at most: commands and retained states are far smaller, larger ones are skipped. */
const MESSAGE_LIMIT = 65_536;
/** Bytes that are taken of what comes at a time. */
const PIECE = 8192;
/** Bytes waiting for the child's pipe from which on the stream asks its writer to wait. */
const HIGH_WATER = 16_384;
/** Characters kept of what the child says on standard error. */
const STDERR_LIMIT = 4096;

/** The end without a word from either side's program. */
export const BROKER_CLOSED = "the broker closed the connection";

/** The class from readable-stream, which is loaded only when a connection is wanted. */
export type DuplexClass = typeof DuplexStream;

/** Where to connect: one of the addresses of the host, whose certificate is verified all the same. */
export type Target = MqttConfig & {
	readonly address: string;
	/** Packets that the broker may send at once, more than usual. */
	readonly expected?: number;
	/** It may take longer than usual to answer. */
	readonly slow?: boolean;
};

export interface TransportHandlers {
	/** Gets the reason, once, before the stream closes; not called when the stream was destroyed first. */
	onEnd(reason: string): void;
	/** Something was left out of what the broker sent. */
	onSkipped(what: string): void;
}

/**
 * The program that carries the bytes: `nc`, or `openssl s_client` with the broker's certificate verified against its
 * name. Only what openssl 3.0 and newer both know.
 */
export function transportCommand(config: Target): [string, ...string[]] {
	const { host, address, port } = config;
	if (!config.tls) return ["nc", address, String(port)];
	const isIpv6 = address.includes(":");
	const isName = !host.includes(":") && !/^[0-9.]+$/.test(host);
	const expected = isName ? ["-verify_hostname", host] : ["-verify_ip", host];
	return [
		"openssl",
		"s_client",
		// -quiet leaves standard output to the connection, -nocommands keeps a leading Q or R a byte like others.
		"-quiet",
		"-nocommands",
		"-verify_quiet",
		...(config.tlsInsecure ? [] : ["-verify_return_error", ...expected]),
		"-connect",
		isIpv6 ? `[${address}]:${port}` : `${address}:${port}`,
		// Server names in TLS are never addresses: RFC 6066, section 3.
		...(isName ? ["-servername", host] : ["-noservername"]),
		...(config.caFile ? ["-CAfile", config.caFile] : []),
		...(config.certFile ? ["-cert", config.certFile] : []),
		...(config.keyFile ? ["-key", config.keyFile] : []),
	];
}

/**
 * A stream of bytes to and from the broker, over a child process. Its end, for whatever reason, is the stream's end.
 *
 * @throws Error when the child cannot even be started (no file descriptors left)
 */
export function openTransport(
	Duplex: DuplexClass,
	platform: Platform,
	config: Target,
	handlers: TransportHandlers,
): DuplexStream {
	const argv = transportCommand(config);
	const guard = new PacketGuard(
		MESSAGE_LIMIT,
		config.expected ?? 0,
		() => platform.now().monotonic,
		(bytes) =>
			handlers.onSkipped(`the broker sent a message of ${bytes} bytes, more than ${MESSAGE_LIMIT}: skipped`),
	);
	let complaints = "";
	let ended = false;

	const end = (reason: string) => {
		if (ended) return;
		ended = true;
		handlers.onEnd(reason);
		stream.destroy();
	};
	const child: Child = platform.spawn({
		argv,
		stdin: true,
		// Each small message takes 0.1 ms and more: nothing else is to wait for hundreds of them.
		piece: PIECE,
		onStdout(chunk) {
			if (ended) return;
			const { complaint, passed } = guard.push(chunk);
			if (complaint) end(complaint);
			else for (const piece of passed) stream.push(piece);
		},
		onStderr(chunk) {
			complaints = (complaints + decodeUtf8(chunk)).slice(-STDERR_LIMIT);
		},
		onExit: (status) => end(endReason(argv[0], status, complaints)),
	});
	const stream = new Duplex({
		decodeStrings: false,
		// Nothing to do: the child's output comes when it comes, and the guard bounds what can wait.
		read() {},
		write(chunk: Uint8Array | string, _encoding, done) {
			child.write(plainBytes(chunk));
			flushed(child, done);
		},
		writev(chunks, done) {
			for (const { chunk } of chunks as { chunk: Uint8Array | string }[]) child.write(plainBytes(chunk));
			flushed(child, done);
		},
		final(done) {
			child.closeStdin();
			done();
		},
		destroy(error, done) {
			ended = true;
			// Nothing of it is worth waiting for, and a stopped process heeds no other signal.
			child.kill("SIGKILL");
			done(error);
		},
	});
	return stream;
}

function flushed(child: Child, done: () => void): void {
	if (child.pendingBytes < HIGH_WATER) done();
	else child.onDrain(done);
}

/** A view without the Buffer class, whose `slice` does not copy. */
function plainBytes(chunk: Uint8Array | string): Uint8Array {
	if (typeof chunk === "string") return encodeUtf8(chunk);
	return new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.length);
}

/** Why the connection ended, in one line, out of how the child ended and what it said on standard error. */
export function endReason(program: string, status: ExitStatus, complaints: string): string {
	const lines = complaints
		.split("\n")
		.map((line) => line.trim())
		.filter((line) => line !== "");
	const last = lines.at(-1);
	if ("code" in status && status.code === 127) return `${program}: not found`;
	if (program === "openssl") {
		const verify = lines.map((line) => /^verify error:num=\d+:(.+)$/.exec(line)?.[1]).find(Boolean);
		if (verify) return `openssl: the broker's certificate was refused: ${verify}`;
		// e.g. 40D7AD9C:error:8000006F:system library:BIO_connect:Connection refused:bio_sock2.c:178:calling connect()
		const failures = lines.flatMap((line) => [
			/:error:[0-9A-F]+:([^:]*):[^:]*:([^:]+):[^:]*:\d+:(.*)$/.exec(line) ?? [],
		]);
		// For a file that is not there, openssl 3.0 blames its loader of URIs before it tells what the system said.
		const failure =
			failures.find(([, library]) => library === "system library") ?? failures.find(([all]) => all);
		if (failure) return `openssl: ${failure[2]}${failure[3] ? ` (${failure[3]})` : ""}`;
		if (last && /errno=\d+$/.test(last)) return `openssl: the connection broke (${last})`;
	}
	if (last) return last.startsWith(program) ? last.slice(0, 200) : `${program}: ${last.slice(0, 200)}`;
	if ("signal" in status) return `${program} was killed by signal ${status.signal}`;
	if (status.code !== 0) return `${program} ended with code ${status.code}`;
	return BROKER_CLOSED;
}
