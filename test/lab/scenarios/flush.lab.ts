import { afterEach, beforeEach, expect, test } from "vitest";
import { startDaemon } from "../daemon.ts";
import { type Lab, startLab } from "../lab.ts";
import { network } from "../network.ts";
import { fw4Table } from "../programs.ts";
import { until } from "../wait.ts";

const { router, speaker, broker } = network;

let lab: Lab;
beforeEach(async () => {
	lab = await startLab();
	await lab.router.nft(fw4Table);
});
afterEach(() => lab.stop());

/** Every conntrack entry of TCP and UDP, as `original source > original destination:port`. */
async function flows(): Promise<string[]> {
	const { stdout } = await lab.router.run(["conntrack", "-L"]);
	const entry = /^(tcp|udp) .*?src=(\S+) dst=(\S+) sport=(\d+) dport=(\d+)/;
	return stdout.split("\n").flatMap((line) => {
		const [, protocol, source, destination, from, to] = entry.exec(line) ?? [];
		return protocol === undefined ? [] : [`${protocol} ${source} ${from} > ${destination} ${to}`];
	});
}

interface Entry {
	readonly protocol?: "tcp" | "udp";
	readonly from: string;
	readonly to: string;
	readonly sport: number;
	readonly dport: number;
	/** Where the answer comes from, when that is another place: DNAT. */
	readonly answers?: string;
	/** Where the answer goes, when that is another place: masquerading. */
	readonly answered?: string;
}

/** Puts an entry into the router's connection tracking, and returns what `flows` calls it. */
async function insert({
	protocol = "tcp",
	from,
	to,
	sport,
	dport,
	answers,
	answered,
}: Entry): Promise<string> {
	const state = protocol === "tcp" ? ["--state", "ESTABLISHED"] : [];
	const reply = ["-r", answers ?? to, "-q", answered ?? from];
	const ports = ["--sport", `${sport}`, "--dport", `${dport}`];
	const replyPorts = ["--reply-port-src", `${dport}`, "--reply-port-dst", `${sport}`];
	const original = ["-p", protocol, "-s", from, "-d", to, ...ports];
	await lab.router.run(["conntrack", "-I", ...original, ...reply, ...replyPorts, "-t", "3600", ...state]);
	return `${protocol} ${from} ${sport} > ${to} ${dport}`;
}

const stale: readonly Entry[] = [
	{ from: speaker.address, to: router.lan, sport: 40001, dport: 179 },
	{ from: router.lan, to: speaker.address, sport: 40002, dport: 179 },
	{ from: speaker.address, to: router.lan, sport: 179, dport: 40003 },
	// a ghost: caught on its way to the router
	{ from: speaker.address, to: router.lan, sport: 40004, dport: 179, answers: "192.168.1.77" },
	{ from: broker.address, to: router.iot, sport: 40005, dport: 179 },
	{ protocol: "udp", from: speaker.address, to: router.lan, sport: 49152, dport: 3784 },
	{ protocol: "udp", from: router.lan, to: speaker.address, sport: 49153, dport: 3785 },
	{ protocol: "udp", from: speaker.address, to: router.lan, sport: 49154, dport: 4784 },
	{ from: speaker.address6, to: router.lan6, sport: 40006, dport: 179 },
	{ from: router.lan6, to: speaker.address6, sport: 40007, dport: 179 },
	{ protocol: "udp", from: speaker.address6, to: router.lan6, sport: 49155, dport: 4784 },
];

const kept: readonly Entry[] = [
	// merely passing through, also behind the router's own address
	{ from: speaker.address, to: broker.address, sport: 40011, dport: 179 },
	{ from: speaker.address, to: broker.address, sport: 40012, dport: 179, answered: router.iot },
	{ protocol: "udp", from: broker.address, to: speaker.address, sport: 49161, dport: 4784 },
	{ from: speaker.address6, to: "fd00:2::10", sport: 40013, dport: 179 },
	{ protocol: "udp", from: "fd00:2::10", to: speaker.address6, sport: 49162, dport: 3784 },
	// the router's, of other programs
	{ from: speaker.address, to: router.lan, sport: 40014, dport: 22 },
	{ from: speaker.address, to: router.lan, sport: 40015, dport: 1790 },
	{ protocol: "udp", from: speaker.address, to: router.lan, sport: 49163, dport: 179 },
	{ from: speaker.address, to: router.lan, sport: 40016, dport: 3784 },
	{ from: speaker.address6, to: router.lan6, sport: 40017, dport: 22 },
];

test("`flush` deletes the router's own BGP and BFD entries, says how many, and leaves all others", async () => {
	const { warden, daemon } = startDaemon(lab.router, { mqtt: { enabled: false } });
	await daemon.untilStatus("the table is in place", ({ router }) => router.protection !== "missing");
	expect(await warden.cli(["flush"])).toMatchObject({ code: 0, stdout: "no stale conntrack entries\n" });

	const names: string[] = [];
	for (const entry of kept) names.push(await insert(entry));
	for (const entry of stale) await insert(entry);
	expect(await flows()).toHaveLength(kept.length + stale.length);

	expect(await warden.cli(["flush"])).toMatchObject({ code: 0, stdout: `${stale.length} entries deleted\n` });
	expect((await flows()).sort()).toEqual(names.sort());
	await daemon.untilStatus("the entries are counted", ({ router }) => router.flushed === stale.length);
	expect(warden.events()).toContainEqual(
		expect.objectContaining({ event_type: "conntrack_flushed", deleted: stale.length, left: 0 }),
	);

	expect(await warden.cli(["flush"])).toMatchObject({ code: 0, stdout: "no stale conntrack entries\n" });
	expect((await flows()).sort()).toEqual(names);
});

/** Listens on 179 for one connection after the other, and sends each back what it says. */
const echo = `
import socket
server = socket.create_server(("::", 179), family=socket.AF_INET6, dualstack_ipv6=True)
print("listening", flush=True)
held = []
import threading
def serve(connection):
	while data := connection.recv(100): connection.sendall(data)
while True:
	connection, _ = server.accept()
	threading.Thread(target=serve, args=(connection,), daemon=True).start()
`;

/** Says hello on a connection to each address, again each 0.2 s, and sends BFD's datagrams to the router. */
const talk = `
import socket, time
def dial(address): return socket.create_connection((address, 179), 3)
through, own, own6 = [dial(address) for address in ("${broker.address}", "${router.lan}", "${router.lan6}")]
udp, udp6 = socket.socket(socket.AF_INET, socket.SOCK_DGRAM), socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
while True:
	for port in (3784, 3785, 4784):
		udp.sendto(b"bfd", ("${router.lan}", port))
		udp6.sendto(b"bfd", ("${router.lan6}", port))
	for connection in (through, own, own6):
		connection.sendall(b"hello")
		connection.recv(100)
	print("round", flush=True)
	time.sleep(0.2)
`;

test("real traffic goes on while the daemon takes it out of conntrack; what passes through stays there", async () => {
	// Given connections on 179 to the router and through it, and BFD's datagrams, all of them tracked
	for (const host of [lab.router, lab.broker]) {
		const server = host.start(["python3", "-c", echo], { name: "echo" });
		await server.says(/^listening$/);
	}
	const talker = lab.speaker.start(["python3", "-c", talk], { name: "talker" });
	await talker.says(/^round$/);
	const passing = / > 192\.168\.10\.10 179$/;
	const tracked = await flows();
	expect(tracked.filter((flow) => passing.test(flow))).toHaveLength(1);
	expect(tracked.filter((flow) => !passing.test(flow))).toHaveLength(8);

	// When the daemon starts
	const { daemon } = startDaemon(lab.router, { mqtt: { enabled: false } });
	await daemon.untilStatus("the router's entries are deleted", ({ router }) => router.flushed >= 8);

	// Then they stay away though the packets keep coming, and no connection breaks
	const rounds = talker.lines.length;
	await until("more rounds", () => {
		talker.mustRun();
		return talker.lines.length >= rounds + 5;
	});
	expect(await flows()).toEqual(tracked.filter((flow) => passing.test(flow)));
});
