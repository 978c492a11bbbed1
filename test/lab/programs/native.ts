import type { Host } from "../host.ts";
import { network } from "../network.ts";
import type { Process } from "../process.ts";

export interface NativeOptions {
	/** Seconds; default 90, as MetalLB's. */
	readonly holdTime?: number;
}

/**
 * A stand-in for the speaker of MetalLB's native mode, written after what that one does (metallb, internal/bgp/native, a
 * package that others cannot import): no BFD, no listening socket, one handshake of at most 10 s, then 0, 1, 2, 4 … 120 s
 * until the next dial; no NOTIFICATION to a router of another AS number, but an end of the connection; keepalives at a third of the hold time, and no look at the router's: a session ends when the
 * connection does. Its OPEN has two address families and four-octet AS numbers, and no other capability.
 */
const program = `
import socket, struct, sys, threading, time
router, peer, asn, hold, service = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]), sys.argv[5]

def message(kind, body=b""):
    return b"\\xff" * 16 + struct.pack("!HB", 19 + len(body), kind) + body

def read(connection):
    def exactly(size):
        data = b""
        while len(data) < size:
            more = connection.recv(size - len(data))
            if not more:
                raise OSError("closed")
            data += more
        return data
    size, kind = struct.unpack("!HB", exactly(19)[16:])
    body = exactly(size - 19)
    if kind == 3:
        raise OSError("notification %d %d" % (body[0], body[1]))
    return kind, body

def keepalives(connection, every):
    try:
        while True:
            time.sleep(every)
            connection.sendall(message(4))
    except OSError:
        connection.close()

def session(established):
    connection = socket.create_connection((router, 179), 10)
    with connection:
        address = socket.inet_aton(connection.getsockname()[0])
        capabilities = struct.pack("!BBHHBBHHBBI", 1, 4, 1, 1, 1, 4, 2, 1, 65, 4, asn)
        options = struct.pack("!BB", 2, len(capabilities)) + capabilities
        connection.sendall(message(1, struct.pack("!BHH", 4, asn, hold) + address + bytes([len(options)]) + options))
        kind, body = read(connection)
        if kind != 1:
            raise OSError("no OPEN")
        if struct.unpack("!H", body[1:3])[0] != peer:
            raise OSError("unexpected peer AS number")
        connection.settimeout(None)
        connection.sendall(message(4))
        every = min(hold, struct.unpack("!H", body[3:5])[0]) / 3
        threading.Thread(target=keepalives, args=(connection, every), daemon=True).start()
        established()
        path = struct.pack("!BBBB", 0x40, 1, 1, 0) + struct.pack("!BBBBBI", 0x40, 2, 6, 2, 1, asn)
        path += struct.pack("!BBB", 0x40, 3, 4) + address
        prefix = bytes([32]) + socket.inet_aton(service.split("/")[0])
        connection.sendall(message(2, struct.pack("!HH", 0, len(path)) + path + prefix))
        while True:
            read(connection)

wait = 0
up = False

def established():
    global up, wait
    up, wait = True, 0
    print("state Established", flush=True)

while True:
    up = False
    try:
        session(established)
    except OSError as error:
        print("state Idle", error, flush=True)
    if not up:
        time.sleep(wait)
        wait = min(120, wait * 2) if wait else 1
`;

/** A running stand-in for MetalLB's native mode. */
export interface Native {
	readonly process: Process;
	/** What it last said of its session: `Established`, `Idle`. */
	peer(): Promise<{ bgp?: string | undefined }>;
	/** SIGTERM: the connection is closed without a notification, as MetalLB does it. */
	stop(): Promise<void>;
	crash(): Promise<void>;
}

/** Starts the stand-in, over IPv4; it begins to dial at once. */
export async function startNative(host: Host, { holdTime = 90 }: NativeOptions = {}): Promise<Native> {
	const { router, speaker, service } = network;
	const ends = [router.lan, String(router.as), String(speaker.as), String(holdTime), service];
	const process = host.start(["python3", "-c", program, ...ends], { name: "native", urgent: true });
	const end = async (signal: NodeJS.Signals): Promise<void> => {
		await process.end(signal);
	};
	return {
		process,
		async peer() {
			process.mustRun();
			return { bgp: process.lines.findLast((line) => line.startsWith("state "))?.split(" ")[1] };
		},
		stop: () => end("SIGTERM"),
		crash: () => end("SIGKILL"),
	};
}
