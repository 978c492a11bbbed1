import type { Lab } from "../../lab.ts";
import { network } from "../../network.ts";
import type { Speaker } from "../../speakers/kinds.ts";
import { pause, until } from "../../wait.ts";
import type { World } from "../world.ts";
import { type AnyWorld, type Cause, configureBird, killProgram, lan } from "./cause.ts";

/** Services of which BIRD takes the first few. */
const LIMIT = 3;
const services = ({ family }: Pick<AnyWorld, "family">) =>
	Array.from({ length: 7 }, (_, index) =>
		family === 6 ? `fd00:20::${index + 1}/128` : `192.168.20.${index + 1}/32`,
	);

/** A program that has BGP's port on all of the router's addresses. */
const portTaker = `
import socket, time
servers = []
for family, address in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
    server = socket.socket(family)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6: server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    server.bind((address, 179))
    server.listen()
    servers.append(server)
print("listening", flush=True)
time.sleep(600)
`;

/** The speaker announces these, and no others. */
async function announce(world: World, verb: "" | "no ", prefixes: readonly string[]): Promise<void> {
	const { family, speaker } = world;
	const router = family === 6 ? network.router.lan6 : network.router.lan;
	const ip = family === 6 ? "ipv6" : "ip";
	await speaker.vtysh(
		"configure",
		...prefixes.map((prefix) => `${ip} prefix-list ${router}-allowed-ipv${family} permit ${prefix}`),
		`router bgp ${network.speaker.as}`,
		`address-family ipv${family} unicast`,
		...prefixes.map((prefix) => `${verb}network ${prefix}`),
		"end",
	);
}

/** BIRD's configuration with another import. */
async function importing(world: World, words: string): Promise<void> {
	await world.bird.configure(world.birdConfig().replace("import all;", words));
}

async function shutdown({ speaker }: AnyWorld, down: boolean): Promise<void> {
	if (!speaker.shutdown) throw new Error("this speaker cannot shut a session down");
	await speaker.shutdown(down);
}

/** Sessions that one side does not want, and peers that BIRD does not run. */
export const REFUSALS: readonly Cause<Speaker>[] = [
	{
		name: "a wrong AS number of BIRD's own",
		id: "rejected",
		async begin(world) {
			const wrong = world.birdConfig().replace(`as ${network.router.as};`, "as 65333;");
			await world.bird.configure(wrong);
		},
		async end(world) {
			await configureBird(world, {});
		},
	},
	{
		name: "the speaker shuts the session down",
		id: "peer-shutdown",
		needs: "shutdown",
		begin: (world) => shutdown(world, true),
		end: (world) => shutdown(world, false),
	},
	{
		name: "a peer that a person has disabled in BIRD",
		id: "disabled",
		async begin({ bird }) {
			await bird.control(`disable ${network.peer}`);
		},
		async end({ bird }) {
			await bird.control(`enable ${network.peer}`);
		},
	},
	{
		name: "a peer that BIRD has disabled after an error",
		id: "disabled-by-bird",
		async begin(world) {
			await configureBird(world, { neighborAs: 65333, extra: "disable after error on;" });
			await world.redial();
		},
		async end(world) {
			await configureBird(world, {});
			await world.bird.control(`enable ${network.peer}`);
		},
	},
];

/** What BIRD cannot do, or not with so many routes. */
export const LIMITS: readonly Cause[] = [
	{
		name: "more routes than BIRD's import limit",
		id: "route-limit",
		// BIRD waits for a minute, and then the speaker for its timer: with and without the daemon 92 s.
		healedWithin: 105_000,
		async begin(world) {
			await announce(world, "", services(world));
			await importing(world, `import limit ${LIMIT} action restart; import all;`);
		},
		end: (world) => announce(world, "no ", services(world).slice(1)),
	},
	{
		name: "another program on BGP's port when BIRD starts",
		id: "not-listening",
		fromStart: true,
		healedWithin: 10_000,
		// What FRR dials just before BIRD listens is refused, and it has no BFD before its next dial.
		frr: { connectTime: 5 },
		async begin({ lab }) {
			const taker = lab.router.start(["python3", "-c", portTaker], { name: "taker" });
			await taker.says(/^listening$/);
		},
		async end({ lab }) {
			killProgram(lab.router, portTaker);
		},
	},
	{
		name: "BIRD started before its address was there, and BFD without a socket",
		id: "bfd-not-sending",
		// While the address is missing.
		meanwhile: ["bird-down", "local-address-missing"],
		async begin(world) {
			const { lab, family } = world;
			await world.bird.stop();
			await address(lab, family, "del");
			await world.startBird();
			await pause(2000);
			await address(lab, family, "add");
		},
		// The daemon has BIRD open its socket, unless FRR's dial came first: a session that is up is a person's to interrupt.
		async end(world) {
			const { bgp, bfd } = await world.bird.peer();
			if (bgp !== "Established" || bfd === "Up") return;
			world.interrupted = true;
			await world.bird.control(`restart ${network.peer}`);
		},
	},
	{
		name: "strict bind, and BIRD's address not there yet",
		id: "not-listening",
		fromStart: true,
		healedWithin: 10_000,
		// What FRR dials just before BIRD listens is refused, and it has no BFD before its next dial.
		frr: { connectTime: 5 },
		bird: { extra: "strict bind on;" },
		begin: ({ lab, family }) => address(lab, family, "del"),
		async end({ lab, family, speaker }) {
			await address(lab, family, "add");
			// The speaker's next hop lookup wants its neighbor, not the router's BGP.
			await until("the speaker to answer", () => speaker.peer(family));
		},
	},
];

/** The router's own address in the LAN comes or goes. */
async function address(lab: Lab, family: 4 | 6, verb: "add" | "del"): Promise<void> {
	const own = family === 6 ? `${network.router.lan6}/64` : `${network.router.lan}/24`;
	const nodad = family === 6 && verb === "add" ? ["nodad"] : [];
	await lab.router.run(["ip", "address", verb, own, "dev", lan, ...nodad]);
}
