import { fw4Table } from "../../programs.ts";
import type { Speaker } from "../../speakers/kinds.ts";
import { until } from "../../wait.ts";
import {
	type AnyWorld,
	type Cause,
	iptables,
	killProgram,
	lan,
	listener,
	peerAddress,
	TPROXY_PORT,
	table,
} from "./cause.ts";

/** The router's answers, by a rule of iptables-legacy. */
async function dropAnswers({ lab, family }: AnyWorld, verb: "-A" | "-D"): Promise<void> {
	const program = `${family === 6 ? "ip6tables" : "iptables"}-legacy`;
	await lab.router.run([program, verb, "OUTPUT", "-p", "tcp", "--sport", "179", "-j", "DROP"]);
}

/** Rules of this router's that take or drop packets of the session. */
export const RULES: readonly Cause<Speaker>[] = [
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
			await world.redial();
		},
		async end({ lab }) {
			await lab.router.nft("delete table inet mihomo\n");
			// Its socket has the speaker's connection: without BFD the speaker would wait for that.
			killProgram(lab.router, listener);
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
			await world.redial();
		},
		end: (world) => iptables(world, "-D"),
	},
	{
		name: "a rule of iptables-legacy",
		id: "hijacked",
		begin: async (world) => {
			await iptables(world, "-A", "legacy");
			await world.redial();
		},
		async end(world) {
			await iptables(world, "-D", "legacy");
			// Nothing tells of that change: the peer's next SYN does.
			await world.redial();
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
			await world.redial();
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
		async begin(world) {
			const { lab } = world;
			// fw4 has conntrack track the session, and its answers are dropped where nft does not show it.
			await lab.router.nft(fw4Table);
			await dropAnswers(world, "-A");
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
		async end(world) {
			const { lab } = world;
			await dropAnswers(world, "-D");
			await lab.router.nft("delete table inet fw4\n");
			for (const pid of lab.router.processes()) {
				const command = lab.router.read(`/proc/${pid}/cmdline`) ?? "";
				if (command === "nft\0-i\0") process.kill(pid, "SIGKILL");
			}
		},
	},
];
