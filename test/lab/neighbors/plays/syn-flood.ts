import { listener, TPROXY_PORT } from "../../diagnosis/causes/cause.ts";
import { Meter } from "../../meter.ts";
import { network } from "../../network.ts";
import { birdPeering } from "../../programs.ts";
import { pause, until } from "../../wait.ts";
import type { Ledger } from "../ledger.ts";
import type { Play } from "../play.ts";
import { startSyns } from "../programs/packets.ts";
import { inWorld, linesOf, sessionKept, stops, tableWithPeer, type World, wipes } from "../world.ts";

const PER_SECOND = 20_000;
/** Part of a core while no peer is down: the daemon and its children together. */
const LITTLE = 0.05;
/** Milliseconds for which that is looked at. */
const IDLE = 10_000;
/** Milliseconds until the diagnosis of the real peer is there. */
const NAMED = 10_000;
/** And until it is healthy once the cause is gone: the speaker dials every 3 s. */
const HEALED = 20_000;

const { router, speaker, peer } = network;

interface Kind {
	readonly family: 4 | 6;
	readonly scope: "any" | "peers";
	/** What catches the peer's SYNs: a rule that nft shows, or one that only their traces tell of. */
	readonly by: "tproxy" | "iptables-legacy";
}

const KINDS: readonly Kind[] = (["tproxy", "iptables-legacy"] as const).flatMap((by) =>
	(["any", "peers"] as const).flatMap((scope) => ([4, 6] as const).map((family) => ({ by, scope, family }))),
);

/** SYNs from every address of the LAN, while the real peer's are caught by a rule of this router's. */
export const SYN_FLOODS: readonly Play[] = KINDS.map((kind) => ({
	group: "SYN flood",
	name: `${PER_SECOND} a second, IPv${kind.family}, scope ${kind.scope}, caught by ${kind.by}`,
	quick: kind.scope === "any" && (kind.family === 4) === (kind.by === "tproxy"),
	run: (ledger: Ledger) => play(kind, ledger),
}));

function speakerConfig({ family }: Kind): string {
	const [own, other] = family === 6 ? [speaker.address6, router.lan6] : [speaker.address, router.lan];
	return `router id 9.9.9.9;
log stderr { warning, error, fatal };
protocol device { }
protocol static { ipv${family}; route ${family === 6 ? network.service6 : network.service} unreachable; }
protocol bgp up {
	local ${own} as ${speaker.as};
	neighbor ${other} as ${router.as};
	connect delay time 1;
	connect retry time 3;
	error wait time 1, 3;
	ipv${family} { import none; export all; };
}
`;
}

/** Has the router catch every dial, or no longer. */
async function catchDials({ by, family }: Kind, { lab }: World, verb: "add" | "delete"): Promise<void> {
	if (by === "iptables-legacy") {
		const program = `${family === 6 ? "ip6tables" : "iptables"}-legacy`;
		const rule = ["-p", "tcp", "--dport", "179", "-j", "DROP"];
		await lab.router.run([program, "-t", "mangle", verb === "add" ? "-A" : "-D", "PREROUTING", ...rule]);
		return;
	}
	const to = family === 6 ? `ip6 to [::1]:${TPROXY_PORT}` : `ip to 127.0.0.1:${TPROXY_PORT}`;
	const rule = `tcp flags syn tcp dport 179 tproxy ${to} meta mark set 1 accept`;
	const chain = `chain pre { type filter hook prerouting priority mangle; policy accept;\n${rule}\n}`;
	await lab.router.nft(verb === "add" ? `table inet proxy { ${chain}\n}\n` : "delete table inet proxy\n");
}

async function play(kind: Kind, ledger: Ledger): Promise<void> {
	const options = {
		// BFD would tell of a machine that is too busy for it.
		router: birdPeering({ family: kind.family, multihop: false, extra: "bfd off;" }),
		speaker: speakerConfig(kind),
		// As often as it reads BIRD by default
		config: { main: { scope: kind.scope, poll_interval: 15 } },
	};
	await inWorld(ledger, options, (world) => flood(kind, world, ledger));
}

async function flood(kind: Kind, world: World, ledger: Ledger): Promise<void> {
	const { lab, daemon, warden } = world;
	const catcher = lab.router.start(["python3", "-c", listener], { name: "tproxy" });
	await catcher.says(/^listening$/);
	const syns = await startSyns(lab.router, lab.speaker, kind.family, PER_SECOND);

	// While no peer is down
	const idle = new Meter(daemon.process.pid);
	await pause(IDLE);
	const cost = idle.read();
	idle.stop();
	ledger.cost(cost, "quiet");
	ledger.atMost(
		"processor while no peer is down",
		cost.own + cost.children,
		LITTLE,
		(part) => `${(100 * part).toFixed(1)} %`,
	);
	sessionKept(world, ledger);
	// Peers are traced apart from strangers by now.
	world.table = await tableWithPeer(world);
	await wipes(world, ledger, 2);

	// A proxy comes, and the speaker dials anew
	await catchDials(kind, world, "add");
	const caught = new Meter(daemon.process.pid);
	await world.speaker.control("restart up");
	const start = performance.now();
	const diagnosis = () => warden.status()?.peers.find(({ name }) => name === peer)?.diagnosis;
	const seen = new Set<string | undefined>();
	const named = await until(
		"the diagnosis",
		() => {
			seen.add(diagnosis());
			return diagnosis();
		},
		{ holds: (id) => id === "hijacked", timeout: NAMED + 15_000 },
	).then(
		() => performance.now() - start,
		() => Number.POSITIVE_INFINITY,
	);
	const shown = (value: number) => (Number.isFinite(value) ? `${(value / 1000).toFixed(1)} s` : "never");
	ledger.note(`hijacked after ${shown(named)}`);
	ledger.atMost("until it was called hijacked", named, NAMED, shown);
	const others = [...seen].filter((id) => id !== undefined && id !== "hijacked" && id !== "healthy");
	ledger.holds(others.length === 0, `it was called ${others.join(", ")} as well`);
	ledger.cost(caught.read(), "flooded");
	caught.stop();
	ledger.note(`${syns.perSecond().toFixed(0)} SYNs a second`);
	// Thousands of times what is traced: a busy machine may send fewer than an idle one.
	ledger.holds(syns.perSecond() > PER_SECOND / 4, "the machine was too busy to send so many");

	// The proxy goes, and the flood goes on
	await catchDials(kind, world, "delete");
	await until("the peer to be healthy", diagnosis, {
		holds: (id) => id === "healthy",
		timeout: HEALED,
	}).catch((error: Error) => ledger.broken.push(error.message));
	ledger.lines(linesOf(world).length);
	await stops(world, ledger);
	await syns.stop();
}
