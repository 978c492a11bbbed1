import type { DiagnosisId } from "../../../src/model/catalog.ts";
import type { Lab } from "../lab.ts";
import { network } from "../network.ts";
import { type Bird, birdPeering, type Frr, type FrrOptions, type Peering, startBird } from "../programs.ts";
import { pause, until } from "../wait.ts";

/** The world that a cause is put into: the daemon runs, and the session was healthy, unless the cause says otherwise. */
export interface World {
	readonly lab: Lab;
	readonly family: 4 | 6;
	readonly version: 2 | 3;
	bird: Bird;
	frr: Frr;
}

/** Something that keeps a session down, or that will. */
export interface Cause {
	readonly name: string;
	readonly id: DiagnosisId;
	/** How the two sides are configured from the start; default: so that they fit. */
	readonly bird?: Peering;
	readonly frr?: FrrOptions;
	/** The cause is there before the two sides meet. */
	readonly fromStart?: boolean;
	/** It can be seen only once the session is up: the time counts from then. */
	readonly whileUp?: boolean;
	/** Milliseconds in which it must be named; default 10,000. */
	readonly within?: number;
	/** Milliseconds from its end in which the session must be healthy; default 5,000. */
	readonly healedWithin?: number;
	begin(world: World): Promise<void>;
	end(world: World): Promise<void>;
}

const lan = network.router.lanInterface;
const TPROXY_PORT = 7894;
/** Milliseconds between two resets of a session that flaps. */
const FLAP_PERIOD = 4000;

function peerAddress({ family }: World): string {
	return family === 6 ? network.speaker.address6 : network.speaker.address;
}

/** The speaker dials anew, as it does when its pod was restarted. */
async function redial({ frr }: World): Promise<void> {
	await frr.vtysh("clear bgp *");
}

/** A table that is there as long as the cause lasts. */
function table(name: string, body: (world: World) => string): Pick<Cause, "begin" | "end"> {
	return {
		async begin(world) {
			await world.lab.router.nft(`table inet ${name} {\n${body(world)}\n}\n`);
			await redial(world);
		},
		async end({ lab }) {
			await lab.router.nft(`delete table inet ${name}\n`);
		},
	};
}

/** A configuration of one side as long as the cause lasts. */
async function configureBird(world: World, peering: Peering): Promise<void> {
	await world.bird.configure(birdPeering({ family: world.family, ...peering }));
}

const listener = `
import socket, time
servers = []
for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
    server = socket.socket(family)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.setsockopt(0 if family == socket.AF_INET else 41, 19 if family == socket.AF_INET else 75, 1)
    server.bind((address, ${TPROXY_PORT}))
    server.listen()
    servers.append(server)
print("listening", flush=True)
time.sleep(600)
`;

/** BGP to a queue that nobody reads, in nftables through iptables, or in the tables that nft does not show. */
async function iptables(
	{ lab, family }: World,
	verb: "-A" | "-D",
	kind: "nft" | "legacy" = "nft",
): Promise<void> {
	const program = `${family === 6 ? "ip6tables" : "iptables"}-${kind}`;
	const rule = ["-p", "tcp", "--dport", "179", "-j", "NFQUEUE", "--queue-num", "9"];
	await lab.router.run([program, "-t", "mangle", verb, "PREROUTING", ...rule]);
}

/** Adds lines to the speaker's configuration. @param lines with `neighbor ADDRESS` in their place */
async function configureFrr(
	{ frr, family }: World,
	lines: (neighbor: string) => readonly string[],
): Promise<void> {
	const router = family === 6 ? network.router.lan6 : network.router.lan;
	await frr.vtysh("configure", `router bgp ${network.speaker.as}`, ...lines(`neighbor ${router}`), "end");
}

/** `ebgpMultiHop: true`, and the restart of the session that FRR needs to heed it. */
async function setMultihop(world: World): Promise<void> {
	await configureFrr(world, (neighbor) => [
		// FRR keeps the kind of a BFD session that is there.
		`no ${neighbor} bfd`,
		`${neighbor} ebgp-multihop`,
		`${neighbor} bfd`,
		`${neighbor} bfd profile bfdprofile`,
	]);
	await redial(world);
}

export const CAUSES: readonly Cause[] = [
	{
		name: "a tproxy in a mangle chain",
		id: "hijacked",
		async begin(world) {
			const proxy = world.lab.router.start(["python3", "-c", listener], { name: "tproxy" });
			await proxy.says(/^listening$/);
			const to = world.family === 6 ? `ip6 to [::1]:${TPROXY_PORT}` : `ip to 127.0.0.1:${TPROXY_PORT}`;
			await world.lab.router.nft(
				`table inet mihomo { chain pre { type filter hook prerouting priority mangle; policy accept;\n` +
					`tcp flags syn tcp dport 179 tproxy ${to} meta mark set 1 accept\n}\n}\n`,
			);
			await redial(world);
		},
		async end({ lab }) {
			await lab.router.nft("delete table inet mihomo\n");
		},
	},
	{
		name: "a drop in a chain of somebody else",
		id: "hijacked",
		...table(
			"sentry",
			() =>
				`chain pre { type filter hook prerouting priority mangle; policy accept;\ntcp dport 179 counter drop\n}`,
		),
	},
	{
		name: "an NFQUEUE without its program",
		id: "hijacked",
		begin: async (world) => {
			await iptables(world, "-A");
			await redial(world);
		},
		end: (world) => iptables(world, "-D"),
	},
	{
		name: "a rule of iptables-legacy",
		id: "hijacked",
		begin: async (world) => {
			await iptables(world, "-A", "legacy");
			await redial(world);
		},
		async end(world) {
			await iptables(world, "-D", "legacy");
			// Nothing tells of that change: the peer's next SYN does.
			await redial(world);
		},
	},
	{
		name: "a reject in a zone of fw4",
		id: "blocked",
		// The speaker's NOTIFICATION is rejected too. BIRD sees the loss at its next KEEPALIVE, 5 s later with this hold time.
		healedWithin: 10_000,
		async begin(world) {
			await world.lab.router.nft(`table inet fw4 {
	chain input {
		type filter hook input priority filter; policy drop;
		iifname "lo" accept
		ct state established,related accept
		iifname "${lan}" jump input_lan
	}
	chain input_lan {
		meta l4proto { 1, 17, 58 } accept
		jump reject_from_lan
	}
	chain reject_from_lan {
		iifname "${lan}" counter jump handle_reject comment "!fw4: reject lan"
	}
	chain handle_reject {
		meta l4proto tcp reject with tcp reset comment "!fw4: Reject TCP traffic"
	}
}
`);
			await redial(world);
		},
		async end({ lab }) {
			await lab.router.nft("delete table inet fw4\n");
		},
	},
	{
		name: "a drop of untracked packets on the way out",
		id: "reply-dropped",
		...table(
			"strict",
			() =>
				"chain out { type filter hook output priority filter; policy accept;\ntcp sport 179 ct state untracked drop\n}",
		),
	},
	{
		name: "a drop in postrouting",
		id: "reply-dropped",
		...table(
			"strict",
			(world) =>
				`chain post { type filter hook postrouting priority filter; policy accept;\n${world.family === 6 ? "ip6" : "ip"} daddr ${peerAddress(world)} tcp sport 179 drop\n}`,
		),
	},
	{
		name: "somebody else's table of the same name, and answers that are dropped",
		id: "tracked",
		fromStart: true,
		async begin({ lab }) {
			await lab.router.nft(
				"table inet fw4 {\nchain output { type filter hook output priority filter; policy accept;\nct state invalid drop\ntcp sport 179 drop\n}\n}\n",
			);
			// Its owner keeps the netlink socket open, so that nobody else may change it (kernel 5.12 and later).
			const commands = ["add table inet custom_bgp { flags owner; }"];
			const input = commands.map((command) => `echo '${command}'`).join("; ");
			lab.router.start(["sh", "-c", `{ ${input}; exec sleep 600; } | nft -i`], { name: "owner" });
			await until("the foreign table", async () => {
				const listed = await lab.router.run(["nft", "list", "table", "inet", "custom_bgp"], {
					allowFailure: true,
				});
				return listed.code === 0;
			});
		},
		async end({ lab }) {
			await lab.router.nft("delete table inet fw4\n");
			for (const pid of lab.router.processes()) {
				const command = lab.router.read(`/proc/${pid}/cmdline`) ?? "";
				if (command === "nft\0-i\0") process.kill(pid, "SIGKILL");
			}
		},
	},
	{
		name: "a wrong AS number in BIRD",
		id: "rejected",
		async begin(world) {
			await configureBird(world, { neighborAs: 65333 });
		},
		async end(world) {
			await configureBird(world, {});
		},
	},
	{
		name: "a wrong MD5 password",
		id: "no-answer",
		async begin(world) {
			await configureBird(world, { extra: 'password "secret";' });
			await redial(world);
		},
		async end(world) {
			await configureBird(world, {});
		},
	},
	{
		name: "BIRD on another port",
		id: "not-listening",
		async begin(world) {
			await configureBird(world, { port: 1790 });
			await redial(world);
		},
		async end(world) {
			await configureBird(world, {});
		},
	},
	{
		name: "BIRD stopped",
		id: "bird-down",
		async begin(world) {
			await world.bird.stop();
		},
		async end(world) {
			world.bird = await startBird(world.lab.router, birdPeering({ family: world.family }), world.version);
		},
	},
	{
		name: "a pulled cable",
		id: "peer-unreachable",
		async begin({ lab }) {
			// A link that is only without a carrier keeps its IPv6 addresses; one that is set down would lose them.
			await lab.speaker.run(["sysctl", "-qw", "net.ipv6.conf.eth0.keep_addr_on_down=1"]);
			await lab.speaker.link("eth0", "down");
		},
		async end({ lab, family }) {
			await lab.speaker.link("eth0", "up");
			await lab.speaker.run(["ip", "route", "replace", "default", "via", network.router.lan]);
			// IPv6 looks for duplicates of both link-local addresses first.
			const router = family === 6 ? network.router.lan6 : network.router.lan;
			await lab.speaker.run(["ping", "-c", "1", "-w", "5", "-i", "0.2", router]);
		},
	},
	{
		name: "a route through a tun device",
		id: "route-kind",
		async begin({ lab, family }) {
			const flag = family === 6 ? "-6" : "-4";
			const prefix = family === 6 ? "fd00:1::/64" : "192.168.1.0/24";
			await lab.router.run([
				"sh",
				"-c",
				"mkdir -p /dev/net; [ -e /dev/net/tun ] || mknod /dev/net/tun c 10 200",
			]);
			await lab.router.run(["ip", "tuntap", "add", "tailscale0", "mode", "tun"]);
			await lab.router.run(["ip", "link", "set", "tailscale0", "up"]);
			await lab.router.run(["ip", flag, "route", "add", prefix, "dev", "tailscale0", "table", "52"]);
			await lab.router.run(["ip", flag, "rule", "add", "pref", "5270", "table", "52"]);
		},
		async end({ lab, family }) {
			await lab.router.run(["ip", family === 6 ? "-6" : "-4", "rule", "del", "pref", "5270"]);
		},
	},
	{
		name: "single-hop BFD in BIRD, multihop in the speaker",
		id: "bfd-mode-mismatch",
		fromStart: true,
		whileUp: true,
		bird: { multihop: false },
		async begin() {},
		async end(world) {
			await configureBird(world, {});
		},
	},
	{
		name: "multihop BFD in BIRD, single-hop in the speaker",
		id: "bfd-mode-mismatch",
		fromStart: true,
		frr: { multihop: false },
		async begin() {},
		end: setMultihop,
	},
	{
		name: "no BFD in the speaker",
		id: "bfd-down-session-up",
		fromStart: true,
		whileUp: true,
		frr: { bfd: false },
		async begin() {},
		async end(world) {
			await configureFrr(world, (neighbor) => [`${neighbor} bfd`, `${neighbor} bfd profile bfdprofile`]);
		},
	},
	{
		name: "a session that is reset again and again",
		id: "flapping",
		within: 30_000,
		async begin(world) {
			for (let round = 0; round < 4; round++) {
				await redial(world);
				await pause(FLAP_PERIOD);
			}
		},
		async end() {
			// It is over when the next reset does not come.
			await pause(FLAP_PERIOD);
		},
	},
	{
		name: "a kernel route in the speaker, and no ebgpMultiHop",
		id: "peer-silent",
		fromStart: true,
		within: 150_000,
		bird: { multihop: false },
		frr: { multihop: false },
		async begin({ lab, family }) {
			const [own, router] =
				family === 6
					? [network.speaker.address6, network.router.lan6]
					: [network.speaker.address, network.router.lan];
			const [flag, length] = family === 6 ? ["-6", 128] : ["-4", 32];
			await lab.speaker.run(["ip", flag, "address", "flush", "dev", "eth0", "scope", "global"]);
			await lab.speaker.run([
				"ip",
				"address",
				"add",
				`${own}/${length}`,
				"dev",
				"eth0",
				...(family === 6 ? ["nodad"] : []),
			]);
			await lab.speaker.run(["ip", flag, "route", "add", router, "dev", "eth0"]);
		},
		async end(world) {
			await configureFrr(world, (neighbor) => [`${neighbor} disable-connected-check`]);
		},
	},
];
