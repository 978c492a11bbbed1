import { network } from "../../network.ts";
import type { FrrOptions } from "../../programs.ts";
import type { Speaker } from "../../speakers/kinds.ts";
import { type AnyWorld, type Cause, configureBird, flag, peerAddress } from "./cause.ts";

/** Packets that do not arrive at the speaker, as long as the cause lasts. @param rule of its input hook */
function droppedByNode(rule: string, redials = true): Pick<Cause<Speaker>, "begin" | "end"> {
	return {
		async begin(world) {
			await world.lab.speaker.nft(
				`table inet nodefw { chain in { type filter hook input priority filter; policy accept;\n${rule}\n}\n}\n`,
			);
			if (redials) await world.redial();
		},
		async end({ lab }) {
			await lab.speaker.nft("delete table inet nodefw\n");
		},
	};
}

/** The node's other address in the same network, and the prefix length. */
function secondAddress({ family }: AnyWorld): readonly [string, number] {
	return family === 6 ? ["fd00:1::3", 64] : ["192.168.1.3", 24];
}

/** A route of its own. */
function toRouter({ family }: AnyWorld): readonly string[] {
	return [family === 6 ? network.router.lan6 : network.router.lan, "dev", "eth0"];
}

/** FRR's default is 120 s, and nothing wakes it where BFD is up: what is mended would not show. */
const soon: FrrOptions = { connectTime: 5 };

/** Handshakes that begin and do not end, and speakers that do not begin them. */
export const HANDSHAKES: readonly Cause<Speaker>[] = [
	{
		name: "a node that drops the router's answers",
		id: "answer-lost",
		healedWithin: 15_000,
		frr: soon,
		...droppedByNode("tcp sport 179 counter drop"),
	},
	{
		name: "BIRD is to use an address that the router does not have",
		id: "local-address-missing",
		async begin(world) {
			const { family } = world;
			const [own, other] =
				family === 6 ? [network.router.lan6, "fd00:1::99"] : [network.router.lan, "192.168.1.99"];
			await world.bird.configure(world.birdConfig().replace(`local ${own} `, `local ${other} `));
		},
		async end(world) {
			await configureBird(world, {});
		},
	},
	{
		name: "a speaker that is not running",
		id: "waiting",
		within: 30_000,
		healedWithin: 15_000,
		async begin({ speaker }) {
			await speaker.crash();
		},
		async end(world) {
			await world.startSpeaker();
		},
	},
	{
		name: "a blocklist that holds the node, and a speaker that does not dial",
		id: "hijacked",
		within: 20_000,
		healedWithin: 15_000,
		async begin(world) {
			const type = world.family === 6 ? "ipv6_addr" : "ipv4_addr";
			const ip = world.family === 6 ? "ip6" : "ip";
			await world.speaker.crash();
			await world.lab.router.nft(
				`table ${ip} crowdsec {\n\tset blacklist { type ${type}; flags timeout; elements = { ${peerAddress(world)} timeout 4h } }\n` +
					`\tchain input { type filter hook input priority filter - 10; policy accept;\n\t\t${ip} saddr @blacklist counter drop\n\t}\n}\n`,
			);
		},
		async end(world) {
			await world.lab.router.nft(`delete table ${world.family === 6 ? "ip6" : "ip"} crowdsec\n`);
			await world.startSpeaker();
		},
	},
	{
		name: "a node that drops all of the session but its first packets",
		id: "handshake-stuck",
		within: 15_000,
		healedWithin: 20_000,
		frr: soon,
		...droppedByNode("tcp sport 179 tcp flags & (syn|psh) == psh counter drop"),
	},
	{
		name: "a node that dials from its second address",
		id: "unknown-address",
		// With BFD, which is between two addresses as well, FRR waits for that.
		bird: { extra: "bfd off;" },
		frr: { bfd: false, ...soon },
		within: 30_000,
		healedWithin: 20_000,
		async begin(world) {
			const { lab, family } = world;
			const [other, length] = secondAddress(world);
			const nodad = family === 6 ? ["nodad"] : [];
			await lab.speaker.run(["ip", "address", "add", `${other}/${length}`, "dev", "eth0", ...nodad]);
			await lab.speaker.run(["ip", flag(world), "route", "add", ...toRouter(world), "src", other]);
			await world.redial();
		},
		async end(world) {
			await world.lab.speaker.run(["ip", flag(world), "route", "del", ...toRouter(world)]);
			await world.redial();
		},
	},
];

/** BFD that only one side hears. */
export const ONE_WAY: readonly Cause[] = [
	{
		name: "a node that drops the router's BFD",
		id: "bfd-one-way",
		within: 15_000,
		...droppedByNode("udp dport { 3784, 4784 } counter drop", false),
	},
];
