import type { Host } from "../../host.ts";
import { network } from "../../network.ts";
import type { Process } from "../../process.ts";
import { until } from "../../wait.ts";

/**
 * SYNs to the router's port 179, each from another address of the LAN and another port, as frames that the kernel does not
 * look at. Prints once a second how many were sent. Arguments: interface, MAC address of the router, family, target,
 * SYNs a second, first address, number of addresses.
 */
const syns = `
import random, socket, struct, sys, time
device, router, family, target, rate, first, count = sys.argv[1:]
inet6 = family == "6"
kind = socket.AF_INET6 if inet6 else socket.AF_INET
pack = lambda address: socket.inet_pton(kind, address)
base = int.from_bytes(pack(first), "big")
size = 16 if inet6 else 4
raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
raw.bind((device, 0))
# PACKET_QDISC_BYPASS, linux/if_packet.h
raw.setsockopt(263, 20, 1)
own = raw.getsockname()[4]
def checksum(data):
	total = sum(struct.unpack(f"!{len(data) // 2}H", data))
	while total >> 16: total = (total >> 16) + (total & 0xffff)
	return ~total & 0xffff
def frame():
	source = (base + random.randrange(int(count))).to_bytes(size, "big")
	port, sequence = random.randrange(1024, 65536), random.getrandbits(32)
	def segment(check): return struct.pack("!HHIIBBHHHBBH", port, 179, sequence, 0, 6 << 4, 2, 64240, check, 0, 2, 4, 1460)
	pseudo = source + pack(target) + (struct.pack("!II", 24, 6) if inet6 else struct.pack("!BBH", 0, 6, 24))
	tcp = segment(checksum(pseudo + segment(0)))
	if inet6: head = struct.pack("!IHBB", 6 << 28, 24, 6, 64) + source + pack(target)
	else:
		def header(check): return struct.pack("!BBHHHBBH", 0x45, 0, 44, port, 0, 64, 6, check) + source + pack(target)
		head = header(checksum(header(0)))
	return bytes.fromhex(router.replace(":", "")) + own + (b"\\x86\\xdd" if inet6 else b"\\x08\\x00") + head + tcp
frames = [frame() for _ in range(8192)]
rate, sent, told, start = int(rate), 0, 0, time.monotonic()
while True:
	now = time.monotonic() - start
	# What could not be sent in time is not made up for.
	due = min(int(now * rate), sent + rate // 100)
	while sent < due:
		try: raw.send(frames[sent & 8191])
		except OSError: pass
		sent += 1
	if now - told >= 1:
		told = now
		print(sent, f"{now:.3f}", flush=True)
	time.sleep(0.0005)
`;

/** UDP packets through the router, 1,000 bytes each. Arguments: target, packets a second. */
const stream = `
import socket, sys, time
target, rate = sys.argv[1], int(sys.argv[2])
out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
payload = bytes(1000)
sent, told, start = 0, 0, time.monotonic()
while True:
	now = time.monotonic() - start
	due = int(now * rate)
	while sent < due:
		# Nobody listens there: the refusal of an earlier one is told with the next.
		try: out.sendto(payload, (target, 5001))
		except OSError: pass
		sent += 1
	if now - told >= 1:
		told = now
		print(sent, f"{now:.3f}", flush=True)
	time.sleep(0.001)
`;

export interface Sender {
	/** Packets a second since it began. */
	perSecond(): number;
	stop(): Promise<void>;
}

async function sender(process: Process): Promise<Sender> {
	await process.says(/^\d+ /);
	return {
		perSecond() {
			const [sent = 0, seconds = 1] = (process.lines.at(-1) ?? "").split(" ").map(Number);
			return sent / seconds;
		},
		async stop() {
			await process.end("SIGKILL");
		},
	};
}

/** Sends SYNs to the router from random addresses of its LAN; the speaker's is none of them. */
export async function startSyns(
	router: Host,
	speaker: Host,
	family: 4 | 6,
	perSecond: number,
): Promise<Sender> {
	const { lan, lan6, lanInterface } = network.router;
	const { stdout } = await router.run(["ip", "-o", "link", "show", lanInterface]);
	const mac = /link\/ether (\S+)/.exec(stdout)?.[1] ?? "";
	const argv = ["eth0", mac, family, family === 6 ? lan6 : lan, perSecond];
	const sources = family === 6 ? ["fd00:1::1000", 250] : ["192.168.1.3", 250];
	const process = speaker.start(["python3", "-c", syns, ...[...argv, ...sources].map(String)], {
		name: "syns",
	});
	return sender(process);
}

/** Sends packets from the speaker's network to the broker's, which the router forwards. */
export async function startTraffic(speaker: Host, perSecond: number): Promise<Sender> {
	const argv = ["python3", "-c", stream, network.broker.address, String(perSecond)];
	return sender(speaker.start(argv, { name: "traffic" }));
}

/** Waits until the router forwards packets to the broker's network. */
export async function untilForwarded(broker: Host): Promise<void> {
	// Of the interface's columns the second is the packets that came.
	const received = () =>
		Number(/eth0:\s*\d+\s+(\d+)/.exec(broker.read(`/proc/${broker.pid}/net/dev`) ?? "")?.[1]);
	const before = received();
	await until("packets to arrive", received, { holds: (count) => count > before + 100 });
}
