import type { Host } from "../host.ts";
import { network } from "../network.ts";
import type { Process } from "../process.ts";
import { until } from "../wait.ts";

/**
 * Bare TCP segments (ACK) to a port of the router's, a thousand a second, each from a port of its own: one that conntrack
 * gets to see makes an entry, since tcp_loose has it pick up connections in the middle. Prints what it has sent.
 */
const sender = `
import socket, struct, sys, time
target, port, own = sys.argv[1], int(sys.argv[2]), sys.argv[3]
raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP)
def checksum(data):
	total = sum(struct.unpack(f"!{len(data) // 2}H", data))
	total = (total >> 16) + (total & 0xffff)
	return ~(total + (total >> 16)) & 0xffff
pseudo = socket.inet_aton(own) + socket.inet_aton(target) + struct.pack("!BBH", 0, 6, 20)
def segment(source):
	def header(check): return struct.pack("!HHIIBBHHH", source, port, 1000, 2000, 5 << 4, 0x10, 1024, check, 0)
	return header(checksum(pseudo + header(0)))
sent, start = 0, time.monotonic()
while True:
	due = int((time.monotonic() - start) * 1000)
	while sent < due:
		raw.sendto(segment(10000 + sent % 50000), (target, 0))
		sent += 1
		if sent % 100 == 0: print(sent, flush=True)
	time.sleep(0.0005)
`;

export interface Stream {
	/** Segments sent so far. */
	sent(): number;
	/** Waits until this many more were sent. */
	more(count: number): Promise<void>;
	stop(): Promise<void>;
}

/** Sends from the broker's host, whose network has nothing to do with BGP. */
export function startStream(broker: Host, port: number): Stream {
	const argv = ["python3", "-c", sender, network.router.lan, String(port), network.broker.address];
	const process = broker.start(argv, { name: `stream to ${port}` });
	const sent = () => {
		process.mustRun();
		return Number(process.lines.at(-1) ?? 0);
	};
	return {
		sent,
		async more(count) {
			const before = sent();
			await until(`${count} segments more`, () => sent() - before >= count, { timeout: 30_000 });
		},
		async stop() {
			await process.end("SIGKILL");
		},
	};
}

/** Conntrack's announcements of new entries with this TCP port at the destination, from now on. */
export async function watchTracked(
	router: Host,
	port: number,
): Promise<{ lines: string[]; process: Process }> {
	const lines: string[] = [];
	const process = router.start(["conntrack", "-E", "-e", "NEW", "-o", "timestamp"], {
		name: "conntrack -E",
		onLine: (line) => {
			if (new RegExp(`dport=${port} `).test(line)) lines.push(line);
		},
	});
	// It says nothing until something happens.
	await until("conntrack to listen", () => router.read(`/proc/${process.pid}/wchan`) !== "0");
	return { lines, process };
}
