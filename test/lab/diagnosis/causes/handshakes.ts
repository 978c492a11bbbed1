import { network } from "../../network.ts";
import { birdPeering, startFrr } from "../../programs.ts";
import { type Cause, configureFrr, peerAddress, redial, type World } from "./cause.ts";

/** Packets that do not arrive at the speaker, as long as the cause lasts. @param rule of its input hook */
function droppedByNode(rule: string, after?: (world: World) => Promise<void>): Pick<Cause, "begin" | "end"> {
	return {
		async begin(world) {
			await world.lab.speaker.nft(
				`table inet nodefw { chain in { type filter hook input priority filter; policy accept;\n${rule}\n}\n}\n`,
			);
			await after?.(world);
		},
		async end({ lab }) {
			await lab.speaker.nft("delete table inet nodefw\n");
		},
	};
}

/** Short, so that what is mended shows: FRR takes 120 s by default, and nothing wakes it where BFD is up. */
const connectTimer = (world: World) =>
	configureFrr(world, (neighbor) => [`${neighbor} timers connect 5`]).then(() => redial(world));

/** Handshakes that begin and do not end. */
export const HANDSHAKES: readonly Cause[] = [
	{
		name: "a node that drops the router's answers",
		id: "answer-lost",
		healedWithin: 15_000,
		...droppedByNode("tcp sport 179 counter drop", connectTimer),
	},
	{
		name: "a node that drops all of the session but its first packets",
		id: "handshake-stuck",
		within: 15_000,
		healedWithin: 20_000,
		...droppedByNode("tcp sport 179 tcp flags & (syn|psh) == psh counter drop", connectTimer),
	},
	{
		name: "a node that drops the router's BFD",
		id: "bfd-one-way",
		within: 15_000,
		...droppedByNode("udp dport { 3784, 4784 } counter drop"),
	},
	{
		name: "BIRD is to use an address that the router does not have",
		id: "local-address-missing",
		async begin({ bird, family }) {
			const [own, other] =
				family === 6 ? [network.router.lan6, "fd00:1::99"] : [network.router.lan, "192.168.1.99"];
			await bird.configure(birdPeering({ family }).replace(`local ${own} `, `local ${other} `));
		},
		async end(world) {
			await world.bird.configure(birdPeering({ family: world.family }));
		},
	},
	{
		name: "a node that dials from its second address",
		id: "unknown-address",
		// With BFD, which is between two addresses as well, FRR waits for that.
		bird: { extra: "bfd off;" },
		frr: { bfd: false },
		within: 30_000,
		healedWithin: 20_000,
		async begin(world) {
			const other = world.family === 6 ? "fd00:1::3/64" : "192.168.1.3/24";
			const nodad = world.family === 6 ? ["nodad"] : [];
			await world.lab.speaker.run(["ip", "address", "add", other, "dev", "eth0", ...nodad]);
			await configureFrr(world, (neighbor) => [
				`${neighbor} timers connect 5`,
				`${neighbor} update-source ${other.split("/")[0]}`,
			]);
			await redial(world);
		},
		async end(world) {
			await configureFrr(world, (neighbor) => [`${neighbor} update-source ${peerAddress(world)}`]);
			await redial(world);
		},
	},
	{
		name: "a speaker that is not running",
		id: "waiting",
		within: 30_000,
		healedWithin: 15_000,
		async begin({ frr }) {
			await frr.crash();
		},
		async end(world) {
			world.frr = await startFrr(world.lab.speaker, { family: world.family });
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
			await world.frr.crash();
			await world.lab.router.nft(
				`table ${ip} crowdsec {\n\tset blacklist { type ${type}; flags timeout; elements = { ${peerAddress(world)} timeout 4h } }\n` +
					`\tchain input { type filter hook input priority filter - 10; policy accept;\n\t\t${ip} saddr @blacklist counter drop\n\t}\n}\n`,
			);
		},
		async end(world) {
			await world.lab.router.nft(`delete table ${world.family === 6 ? "ip6" : "ip"} crowdsec\n`);
			world.frr = await startFrr(world.lab.speaker, { family: world.family });
		},
	},
];
