import { parseAddress } from "../../lib/address.ts";
import type { Client, NextHop, ServiceFacts } from "../../model/service-path.ts";
import type { Platform } from "../../platform/types.ts";
import { clientsSyn, nodesAnswer } from "../../ruleset/forwarded.ts";
import { askServiceRoutes } from "../../system/bird/service-routes.ts";
import { findSocket } from "../../system/bird/socket.ts";
import { connectedNetwork, hostIn, type Network } from "../../system/kernel/networks.ts";
import { askRoute } from "../../system/kernel/route.ts";
import { type RouterAddresses, readAddresses } from "../../system/kernel/router-addresses.ts";
import {
	askForwarding,
	askNextHops,
	forwards,
	holdsClients,
	type Listings,
	listRouting,
	reversePathFilter,
	seesBridged,
} from "../../system/kernel/service-path.ts";
import { tryConnection } from "../../system/kernel/try-connection.ts";
import { collectFacts, type DoctorOptions } from "../collect.ts";
import { type Facts, isFailure } from "../facts.ts";
import type { Report } from "../judge.ts";
import { judgeService } from "./judge.ts";
import { bestInBird, bestInKernel } from "./routes.ts";

/** What is asked about a service. */
export interface ServiceRequest {
	/** Canonical text. */
	readonly address: string;
	/** TCP port; absent: `ASSUMED_PORT`, and no connection is tried. */
	readonly port?: number;
	/** A client; absent: one in each of the router's networks. */
	readonly from?: string;
}

/** Rules of firewalls are about ports. Most services have this one. */
const ASSUMED_PORT = 443;
/** Networks whose clients are looked at. */
const MOST_CLIENTS = 12;

type Known = Pick<ServiceFacts, "bird"> & {
	readonly listings: Listings;
	readonly addresses: RouterAddresses | undefined;
};

/** Looks at the way of a client's packets to a service and back, without changing anything, and judges it. */
export async function examineService(
	platform: Platform,
	options: DoctorOptions,
	request: ServiceRequest,
): Promise<Report> {
	const facts = await collectFacts(platform, options);
	return judgeService(facts, await collectService(platform, facts, request));
}

async function collectService(
	platform: Platform,
	facts: Facts,
	{ address, port, from }: ServiceRequest,
): Promise<ServiceFacts> {
	const { files } = platform;
	const service = parseAddress(address) ?? { family: 4, text: address, bytes: [] };
	const socket = findSocket(platform, facts.config.main.birdSocket)?.path;
	const [read, listings, bird] = await Promise.all([
		readAddresses(platform),
		listRouting(platform, service),
		isFailure(facts.bird) || socket === undefined
			? undefined
			: askServiceRoutes(platform, socket, address, facts.bird),
	]);
	const addresses = typeof read === "string" ? undefined : read;
	const known: Known = { listings, addresses, ...(bird ? { bird } : {}) };
	const passage = { family: service.family, service: service.bytes, port: port ?? ASSUMED_PORT };
	const clients = await askClients(platform, facts, known, { ...passage, address, from });
	const hops = hopsOf(known, clients);
	const [neighbors, attempt] = await Promise.all([
		askNextHops(platform, hops),
		port === undefined || !facts.programs.has("nc") ? undefined : tryConnection(platform, address, port),
	]);
	const forwarding = forwards(files, service);
	const devices = [...clients, ...hops].flatMap(({ interface: device }) => device ?? []);
	const network = addresses && connectedNetwork(addresses.networks, service, undefined);
	return {
		address,
		port: passage.port,
		portAssumed: port === undefined,
		...(from === undefined ? {} : { from }),
		...(addresses ? { isOwn: addresses.isLocal(address) } : {}),
		...(network && network !== "none" ? { network } : {}),
		...(bird ? { bird } : {}),
		...(listings.routes ? { kernelRoutes: listings.routes } : {}),
		...(listings.rules ? { rules: listings.rules } : {}),
		neighbors,
		clients,
		...(forwarding === undefined ? {} : { forwarding }),
		reversePath:
			service.family === 6
				? new Map()
				: new Map(
						devices.flatMap((device) => {
							const value = reversePathFilter(files, device);
							return value === undefined ? [] : [[device, value] as const];
						}),
					),
		mtus: listings.mtus ?? new Map(),
		bridged: new Set([...devices].filter((device) => seesBridged(files, device, service.family))),
		...(attempt ? { attempt } : {}),
		unread: [
			...(listings.routes ? [] : ["the kernel's routes (ip)"]),
			...(listings.rules ? [] : ["ip rule"]),
			...(typeof read === "string" ? [`the router's networks: ${read}`] : []),
			...(isFailure(facts.bird) ? [facts.bird.reason] : bird ? [] : ["BIRD's routes"]),
			...(isFailure(facts.ruleset) ? [facts.ruleset.reason] : []),
			...(port !== undefined && !attempt ? ["whether the service answers (nc)"] : []),
		],
	};
}

interface Passage {
	readonly address: string;
	readonly from: string | undefined;
	readonly family: 4 | 6;
	readonly service: readonly number[];
	readonly port: number;
}

async function askClients(
	platform: Platform,
	facts: Facts,
	known: Known,
	passage: Passage,
): Promise<Client[]> {
	const hosts =
		passage.from === undefined
			? hostsOf(known, passage)
			: await hostAt(platform, passage.from, known.addresses);
	return Promise.all(hosts.map((host) => askClient(platform, facts, passage, host)));
}

async function askClient(
	platform: Platform,
	{ ruleset }: Facts,
	passage: Passage,
	host: Client,
): Promise<Client> {
	const { address: service } = passage;
	const packet = { to: service, from: host.address, interface: host.interface };
	const client = parseAddress(host.address)?.bytes ?? [];
	const walked = isFailure(ruleset) ? undefined : ruleset;
	const first = await askForwarding(platform, packet);
	const sides = { clientSide: host.interface, nodeSide: first?.route?.interface ?? host.interface };
	// Rules that mark packets, as mwan3's and pbr's do, choose their routes by that mark.
	const syn = walked && clientsSyn(walked, { ...passage, client, ...sides });
	const there = syn?.mark ? ((await askForwarding(platform, { ...packet, mark: syn.mark })) ?? first) : first;
	const nodeSide = there?.route?.interface;
	if (!there || nodeSide === undefined) return { ...host, ...(there ? { there } : {}) };
	const answer = { to: host.address, from: service, interface: nodeSide };
	const back = syn && walked && nodesAnswer(walked, { ...passage, client, ...sides, nodeSide }, syn);
	const plain = await askForwarding(platform, answer);
	const marked = back?.mark ? await askForwarding(platform, { ...answer, mark: back.mark }) : undefined;
	const found = marked ?? plain;
	return { ...host, there, ...(found ? { back: found } : {}) };
}

/** A host in each of the router's networks, but for the one that leads to everywhere else where there are others. */
function hostsOf({ listings, addresses, bird }: Known, { family, service }: Passage): Client[] {
	if (!addresses) return [];
	const outside = new Set(
		(listings.routes ?? [])
			.filter(({ length, table }) => length === 0 && table === "main")
			.flatMap(({ nextHops }) => nextHops.map((hop) => hop.interface)),
	);
	const nodes = new Set(
		[...(bird?.routes ?? []), ...(listings.routes ?? [])].flatMap(({ nextHops }) =>
			nextHops.map(({ gateway }) => gateway),
		),
	);
	const taken = (text: string) => addresses.isLocal(text) || nodes.has(text);
	const found = addresses.networks
		.filter(({ text, bytes }) => bytes.length === service.length && holdsClients({ family, text, bytes }))
		.flatMap((network: Network) => {
			const prefix = `${network.text}/${network.length}`;
			const host = hostIn({ isLocal: taken, networks: [network] }, prefix);
			return host ? [{ address: host.address, network: prefix, interface: network.interface }] : [];
		});
	// BIRD may have added its own route to a network of the router's.
	const hosts = [...new Map(found.map((host) => [`${host.network} ${host.interface}`, host])).values()];
	const inside = hosts.filter((each) => !outside.has(each.interface));
	return (inside.length > 0 ? inside : hosts).slice(0, MOST_CLIENTS);
}

async function hostAt(
	platform: Platform,
	address: string,
	addresses: RouterAddresses | undefined,
): Promise<Client[]> {
	if (addresses?.isLocal(address)) return [];
	const { route } = await askRoute(platform, { address, routeMark: "keep" });
	const parsed = parseAddress(address);
	const network = parsed && addresses && connectedNetwork(addresses.networks, parsed, undefined);
	const near = network === "none" ? undefined : network;
	// What comes from a network of the router's comes by its interface, whatever the way back.
	const device = near?.interface ?? route?.interface;
	if (device === undefined) return [];
	return [{ address, interface: device, ...(near ? { network: near.prefix } : {}) }];
}

/** Every next hop with a gateway that packets for the service may take. */
function hopsOf({ bird, listings }: Known, clients: readonly Client[]): NextHop[] {
	const hops = [
		...(bestInKernel(listings.routes ?? [])?.nextHops ?? []),
		...(bestInBird(bird?.routes ?? [])?.nextHops ?? []),
		...clients.flatMap(({ there }) => (there?.route ? [there.route] : [])),
	];
	const found = new Map(hops.flatMap((hop) => (hop.gateway === undefined ? [] : [[hop.gateway, hop]])));
	return [...found.values()];
}
