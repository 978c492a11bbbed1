import { afterEach, describe, expect, test } from "vitest";
import { parseTcpSockets, type TcpSocket } from "../../../src/system/kernel/tcp-sockets.ts";
import { renderResetTable } from "../../../src/system/nft/reset-table.ts";
import { startDaemon } from "../daemon.ts";
import { type Lab, startLab } from "../lab.ts";
import { network } from "../network.ts";
import { birdPeering, fw4Table, startBird, startFrr, startGobgp, startProxy } from "../programs.ts";
import { until } from "../wait.ts";
import { ghost } from "./incidents.ts";
import { kinds, type SpeakerKind } from "./kinds.ts";
import { Stage } from "./stage.ts";

const gobgp6: SpeakerKind = {
	...kinds.gobgp,
	name: "GoBGP over IPv6",
	peering: { ...kinds.gobgp.peering, family: 6 },
	start: (host) => startGobgp(host, { family: 6 }),
};
const frr: SpeakerKind = { ...kinds.frrBare, start: (host) => startFrr(host, { bfd: false }) };

let stage: Stage | undefined;
let lab: Lab | undefined;

afterEach(async () => {
	await stage?.stop();
	await lab?.stop();
	stage = undefined;
	lab = undefined;
});

const events = (warden: Stage["warden"]) => warden.events().map((event) => event.event_type);

describe("a dead connection", () => {
	test.each([kinds.gobgp, gobgp6])(
		"of $name is reset, beside fw4 and its drop_invalid",
		async (kind) => {
			stage = await Stage.start(kind);
			const mark = stage.mark();
			await ghost(stage);
			await stage.lab.router.nft(fw4Table);
			// Its own OpenSent would last 240 s.
			await stage.untilUp(mark, 30_000);
			await until("the event", () => events(stage?.warden as Stage["warden"]), {
				holds: (types) => types.includes("connection_reset"),
			});
			await stage.daemon.untilStatus("what was tried", ({ peers }) =>
				peers.some(({ tried }) => tried?.startsWith("resetting its half-open connection") === true),
			);
		},
		120_000,
	);

	test("is one of five of a speaker, all of which end; and no table is left", async () => {
		const { router, speaker } = await startBare();
		const client = speaker.start(["python3", "-c", clients(5)], { name: "clients" });
		await client.says(/^connected 5$/);
		const { daemon, warden } = startDaemon(router, gobgpPeer);
		await client.says(/^reset 5$/, 20_000);
		await until("the event", () => warden.events(), {
			holds: (all) => all.some((event) => event.event_type === "connection_reset" && event.connections === 5),
		});
		await until("no table of a reset", () => resetTables(router), { holds: (tables) => tables.length === 0 });
		daemon.process.mustRun();
	});

	test("of a link-local speaker is reset through its interface", async () => {
		const config = birdPeering({ multihop: false, extra: "bfd off;", family: 6 })
			.replace(network.router.lan6, "fe80::1")
			.replace(network.speaker.address6, `fe80::2%'${network.router.lanInterface}'`);
		const { router, speaker } = await startBare(config, async (hosts) => {
			await hosts.router.run([
				"ip",
				"address",
				"add",
				"fe80::1/64",
				"dev",
				network.router.lanInterface,
				"nodad",
			]);
			await hosts.speaker.run(["ip", "address", "add", "fe80::2/64", "dev", "eth0", "nodad"]);
		});
		const client = speaker.start(["python3", "-c", clients(2, "fe80::2%eth0", "fe80::1%eth0")], {
			name: "clients",
		});
		await client.says(/^connected 2$/);
		const address = `fe80::2%${network.router.lanInterface}`;
		startDaemon(router, { ...gobgpPeer, peers: [{ ...gobgpPeer.peers[0], address }] });
		await client.says(/^reset 2$/, 20_000);
	});

	test("is being reset when the daemon is killed: its table goes all the same", async () => {
		const { router, speaker } = await startBare();
		const client = speaker.start(["python3", "-c", clients(1)], { name: "clients" });
		await client.says(/^connected 1$/);
		const { daemon } = startDaemon(router, gobgpPeer);
		await until("a table of a reset", () => resetTables(router), { every: 5, timeout: 20_000 });
		await daemon.process.end("SIGKILL");
		await until("no table of a reset", () => resetTables(router), { holds: (tables) => tables.length === 0 });
	});
});

describe("a session that lives", () => {
	test.each([kinds.gobgp, gobgp6, frr])(
		"of $name outlasts a thousand resets",
		async (kind) => {
			stage = await Stage.start(kind);
			const { router, speaker } = stage.lab;
			const mark = stage.mark();
			const connection = await liveConnection(stage.lab);
			// Every SYN is to be answered, not one each half second.
			await speaker.run(["sysctl", "-qw", "net.ipv4.tcp_invalid_ratelimit=0"]);
			const table = renderResetTable("resets", [connection], { bypassMark: "keep", routeMark: "keep" });
			await router.nft(table.replace("\tflags owner;\n", ""));
			const before = await challenges(stage.lab);
			await router.run(["python3", "-c", knocks(connection, 1000)], { timeout: 120_000 });
			await until("a thousand challenges", () => challenges(stage?.lab as Lab), {
				holds: (count) => count >= before + 1000,
			});
			expect(await liveConnection(stage.lab)).toEqual(connection);
			expect((await stage.speaker.peer()).bgp).toBe("Established");
			const lost = stage.bird.process.lines.slice(mark).filter((line) => line.includes("State changed to"));
			expect(lost).toEqual([]);
		},
		180_000,
	);
});

/** A router whose BIRD waits for a speaker, with a proxy that catches it, and nothing on the node. */
async function startBare(
	config = birdPeering({ multihop: false, extra: "bfd off;" }),
	before: (hosts: Lab) => Promise<void> = async () => {},
): Promise<Lab> {
	lab = await startLab();
	await before(lab);
	await startProxy(lab.router);
	await lab.router.nft(fw4Table);
	await startBird(lab.router, config);
	return lab;
}

const gobgpPeer = {
	mqtt: { enabled: false },
	peers: [{ name: network.peer, address: network.speaker.address, speaker: "gobgp" }],
};

async function resetTables(host: Lab["router"]): Promise<string[]> {
	const { stdout } = await host.run(["nft", "list", "tables"]);
	return stdout.split("\n").filter((line) => line.includes("bgpwarden_reset"));
}

/** The speaker's one connection to BIRD, as the router's kernel has it. */
async function liveConnection({ router }: Lab) {
	const texts = await Promise.all(
		["tcp", "tcp6"].map(async (name) => (await router.run(["cat", `/proc/net/${name}`])).stdout),
	);
	const sockets = texts
		.flatMap((text) => parseTcpSockets(text))
		.filter(({ localPort, remotePort }) => localPort === 179 && remotePort > 0);
	expect(sockets).toHaveLength(1);
	const [{ localAddress, localPort, remoteAddress, remotePort }] = sockets as [TcpSocket];
	return { localAddress, localPort, peerAddress: remoteAddress, peerPort: remotePort };
}

/** SYNs on established connections that the speaker's kernel has challenged (TcpExt: TCPSYNChallenge). */
async function challenges({ speaker }: Lab): Promise<number> {
	const { stdout } = await speaker.run(["cat", "/proc/net/netstat"]);
	const [names = "", values = ""] = stdout.split("\n").filter((line) => line.startsWith("TcpExt:"));
	return Number(values.split(" ")[names.split(" ").indexOf("TCPSYNChallenge")]);
}

/** Dials the router's BGP port some times, and says how many of the connections were reset. */
function clients(
	count: number,
	own: string = network.speaker.address,
	router: string = network.router.lan,
): string {
	return `
import select, socket
def dial():
    family, kind, protocol, _, target = socket.getaddrinfo("${router}", 179, type=socket.SOCK_STREAM)[0]
    one = socket.socket(family, kind, protocol)
    one.bind(socket.getaddrinfo("${own}", 0, type=socket.SOCK_STREAM)[0][4])
    one.connect(target)
    return one
held = [dial() for _ in range(${count})]
print("connected", len(held), flush=True)
ended = 0
while ended < ${count}:
    for each in select.select(held, [], [])[0]:
        try:
            each.recv(1)
            print("closed", flush=True)
        except ConnectionResetError:
            ended += 1
            print("reset", ended, flush=True)
        held.remove(each)
`;
}

/** Sends SYNs, each from another port, and forgets each at once: the next one is to get the same source. */
function knocks({ peerAddress, peerPort }: { peerAddress: string; peerPort: number }, count: number): string {
	return `
import socket, subprocess
family = socket.AF_INET6 if ":" in "${peerAddress}" else socket.AF_INET
for _ in range(${count}):
    one = socket.socket(family, socket.SOCK_STREAM)
    one.setblocking(False)
    one.connect_ex(("${peerAddress}", ${peerPort}))
    subprocess.run(["conntrack", "-D", "-f", "ipv6" if family == socket.AF_INET6 else "ipv4", "-p", "tcp", "--orig-port-dst", "${peerPort}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    one.close()
`;
}
