import { createConnection, type Socket } from "node:net";
import { announce, keepalive, open, PREFIXES_PER_UPDATE, shutdown, withdraw } from "./bgp-messages.ts";
import { listen, report } from "./report.ts";

/**
 * A BGP peer that does what it can. Arguments: the mode, its own address, the router's, its AS number. Begins when it is told to;
 * `count` has it say how often it has done what it does. Run by `Neighbor`.
 */
const [, mode = "", own = "", router = "", as = "0"] = process.argv;
const ROUTES = 100_000;
let count = 0;

/** @param onMessage called with the type of each message that comes whole */
function dial(
	onConnect: (socket: Socket) => void,
	onMessage: (type: number, socket: Socket) => void,
): Socket {
	const socket = createConnection({ host: router, port: 179, localAddress: own });
	let rest = Buffer.alloc(0);
	socket.setNoDelay(true);
	socket.on("connect", () => onConnect(socket));
	socket.on("error", () => undefined);
	socket.on("data", (chunk) => {
		rest = Buffer.concat([rest, chunk]);
		while (rest.length >= 19 && rest.length >= rest.readUInt16BE(16)) {
			const type = rest.readUInt8(18);
			rest = rest.subarray(rest.readUInt16BE(16));
			onMessage(type, socket);
		}
	});
	return socket;
}

/** A session, from the first byte to Established, and what is done there; dialed again 200 ms after its end. */
function session(established: (socket: Socket) => void, hostname?: string): void {
	let isUp = false;
	const hello = (socket: Socket) => void socket.write(open(Number(as), own, hostname));
	const socket = dial(hello, (type, socket) => {
		if (type === 1) socket.write(keepalive);
		if (type !== 4) return;
		if (isUp) socket.write(keepalive);
		else {
			isUp = true;
			count++;
			established(socket);
		}
	});
	socket.on("close", () => setTimeout(() => session(established, hostname), 200));
}

/** Announces all routes, and some time later withdraws them, again and again. */
function routes(socket: Socket): void {
	if (socket.destroyed) return;
	const inPieces = (make: (first: number, size: number) => Buffer) => {
		for (let first = 0; first < ROUTES; first += PREFIXES_PER_UPDATE)
			socket.write(make(first, Math.min(PREFIXES_PER_UPDATE, ROUTES - first)));
	};
	inPieces((first, size) => announce(first, size, Number(as), own));
	setTimeout(() => {
		inPieces(withdraw);
		setTimeout(() => routes(socket), 3000);
	}, 5000);
}

const MODES: Readonly<Record<string, () => void>> = {
	/** Connects and closes 300 times a second, every second time with an RST. */
	churn() {
		setInterval(() => {
			for (let each = 0; each < 3; each++) {
				const reset = count++ % 2 === 0;
				dial(
					(socket) => void (reset ? socket.resetAndDestroy() : socket.end()),
					() => undefined,
				);
			}
		}, 10);
	},
	/** Opens, and sends the first bytes of a message of 4,096; 20 times a second. */
	half() {
		setInterval(() => {
			count++;
			const first = announce(0, PREFIXES_PER_UPDATE, Number(as), own);
			const socket = dial(
				(socket) => void socket.write(Buffer.concat([open(Number(as), own), first.subarray(0, 25)])),
				() => undefined,
			);
			setTimeout(() => socket.destroy(), 2000);
		}, 50);
	},
	/** Comes up and says goodbye with a text that is meant for terminals and parsers. */
	shutdown() {
		session((socket) => {
			const text = `\u001b[2J\u001b]0;owned\u0007\n  BGP state:          Established\r\n1002-mallory ${count} \u202e\ud800`;
			setTimeout(() => socket.end(shutdown(text)), 300);
		});
	},
	/** Comes up under a name that is meant for parsers, a protocol of BIRD's among it, and stays for a while. */
	hostname() {
		const row = "1002-waukeen    BGP        ---        down   1";
		const name = `\u001b[2J\n      Hostname: x\n    Session:          external\n  BGP state:          Idle\n\n${row}\n1006-  BGP state:          Down\n    \n`;
		session((socket) => void setTimeout(() => socket.destroy(), 3000), name);
	},
	routes() {
		session((socket) => routes(socket));
	},
	/** Comes up and goes, as fast as BIRD lets it but for a second between. */
	flap() {
		session((socket) => setTimeout(() => socket.resetAndDestroy(), 800));
	},
};

report({ kind: "ready" });
listen((word) => {
	if (word === "begin") MODES[mode]?.();
	else report({ kind: "count", count });
});
