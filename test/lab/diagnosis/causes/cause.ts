import type { DiagnosisId } from "../../../../src/model/catalog.ts";
import type { Host } from "../../host.ts";
import { network } from "../../network.ts";
import type { Frr, FrrOptions, Peering } from "../../programs.ts";
import type { Speaker } from "../../speakers/kinds.ts";
import type { World } from "../world.ts";

/** Whoever speaks. */
export type AnyWorld = World<Speaker>;

/** Something that keeps a session down, or that will. @template S who must speak */
export interface Cause<S extends Speaker = Frr> {
	readonly name: string;
	readonly id: DiagnosisId;
	/** How the two sides are configured from the start; default: so that they fit. */
	readonly bird?: Peering;
	readonly frr?: FrrOptions;
	/** The cause is there before the two sides meet. */
	readonly fromStart?: boolean;
	/** It can be seen only once the session is up: the time counts from then. */
	readonly whileUp?: boolean;
	/**
	 * Only a session that it breaks shows it. The first loss looks like any other, after which a restart is right: with
	 * remediation the session may be lost once more, and not a second time.
	 */
	readonly shownBySession?: true;
	/** What is rightly said until then: the cause is a matter of time. */
	readonly meanwhile?: readonly DiagnosisId[];
	/** Milliseconds in which it must be named; default 10,000. */
	readonly within?: number;
	/** Milliseconds from its end in which the session must be healthy; default 5,000. */
	readonly healedWithin?: number;
	/** What the speaker must be able to do. */
	readonly needs?: "shutdown";
	readonly begin: (world: World<S>) => Promise<void>;
	readonly end: (world: World<S>) => Promise<void>;
}

export const lan = network.router.lanInterface;
export const TPROXY_PORT = 7894;
/** Milliseconds between two resets of a session that flaps. */
export const FLAP_PERIOD = 4000;

export function peerAddress({ family }: AnyWorld): string {
	return family === 6 ? network.speaker.address6 : network.speaker.address;
}

/** A table that is there as long as the cause lasts. */
export function table(
	name: string,
	body: (world: AnyWorld) => string,
): Pick<Cause<Speaker>, "begin" | "end"> {
	return {
		async begin(world) {
			await world.lab.router.nft(`table inet ${name} {\n${body(world)}\n}\n`);
			await world.redial();
		},
		async end({ lab }) {
			await lab.router.nft(`delete table inet ${name}\n`);
		},
	};
}

/** A configuration of one side as long as the cause lasts. */
export async function configureBird(world: AnyWorld, wrong: Peering): Promise<void> {
	await world.bird.configure(world.birdConfig(wrong));
}

export const listener = `
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
export async function iptables(
	{ lab, family }: AnyWorld,
	verb: "-A" | "-D",
	kind: "nft" | "legacy" = "nft",
): Promise<void> {
	const program = `${family === 6 ? "ip6tables" : "iptables"}-${kind}`;
	const rule = ["-p", "tcp", "--dport", "179", "-j", "NFQUEUE", "--queue-num", "9"];
	await lab.router.run([program, "-t", "mangle", verb, "PREROUTING", ...rule]);
}

/** Kills a program of the router's by a text in its command line. */
export function killProgram(router: Host, text: string): void {
	for (const pid of router.processes())
		if (router.read(`/proc/${pid}/cmdline`)?.includes(text)) process.kill(pid, "SIGKILL");
}

/** Adds lines to the speaker's configuration. @param lines with `neighbor ADDRESS` in their place */
export async function configureFrr(
	{ speaker, family }: World,
	lines: (neighbor: string) => readonly string[],
): Promise<void> {
	const router = family === 6 ? network.router.lan6 : network.router.lan;
	await speaker.vtysh("configure", `router bgp ${network.speaker.as}`, ...lines(`neighbor ${router}`), "end");
}

/** `ebgpMultiHop: true`, and the restart of the session that FRR needs to heed it. */
export async function setMultihop(world: World): Promise<void> {
	await configureFrr(world, (neighbor) => [
		// FRR keeps the kind of a BFD session that is there.
		`no ${neighbor} bfd`,
		`${neighbor} ebgp-multihop`,
		`${neighbor} bfd`,
		`${neighbor} bfd profile bfdprofile`,
	]);
	await world.redial();
}

/** `ip`'s option for the family. */
export function flag({ family }: Pick<AnyWorld, "family">): "-4" | "-6" {
	return family === 6 ? "-6" : "-4";
}
