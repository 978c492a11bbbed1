import type { Facts } from "../../src/doctor/facts.ts";
import type { Report } from "../../src/doctor/judge.ts";
import { judgeService } from "../../src/doctor/service/judge.ts";
import type { Client, KernelRoute, ServiceFacts } from "../../src/model/service-path.ts";
import { parseRuleset } from "../../src/system/nft/ruleset-json.ts";
import { HEALTHY } from "./sample-facts.ts";

export const node = { gateway: "192.168.1.2", interface: "br-lan" };
export const route = { route: { interface: "br-lan", gateway: "192.168.1.2" } };
export const announced = {
	...{ prefix: "192.168.20.1/32", table: "master4", protocol: "waukeen", kind: "unicast" },
	...{ best: true, preference: 100, nextHops: [node], announcedNextHop: "192.168.1.2" },
};
export const inKernel: KernelRoute = {
	...{ prefix: "192.168.20.1/32", length: 32, kind: "unicast", table: "main", protocol: "bird" },
	...{ metric: 32, nextHops: [node] },
};
export const lan: Client = {
	...{ address: "192.168.1.50", network: "192.168.1.0/24", interface: "br-lan" },
	there: route,
	back: { route: { interface: "br-lan" } },
};
export const iot: Client = {
	...{ address: "192.168.10.10", network: "192.168.10.0/24", interface: "br-iot" },
	there: route,
	back: { route: { interface: "br-iot" } },
};
/** A service that both clients reach. */
export const FINE: ServiceFacts = {
	...{ address: "192.168.20.1", port: 443, portAssumed: true, isOwn: false, forwarding: true },
	bird: { routes: [announced], filtered: [], exported: [announced] },
	kernelRoutes: [inKernel],
	rules: [{ priority: 0, text: "from all lookup local", table: "local" }],
	neighbors: new Map([["192.168.1.2", { interface: "br-lan", state: "REACHABLE" }]]),
	clients: [lan, iot],
	reversePath: new Map([
		["br-lan", 0],
		["br-iot", 0],
	]),
	bridged: new Set(),
	mtus: new Map([
		["br-lan", 1500],
		["br-iot", 1500],
	]),
	unread: [],
};
export const empty: Facts["ruleset"] = { tables: [], bridges: [], version: "1.1.3" };

/** A ruleset with one base chain, in nft's JSON. */
export function chain(hook: string, expr: readonly unknown[], base: object = {}) {
	const of = { family: "inet", table: "t" };
	const attached = { ...of, name: "c", type: "filter", hook, prio: 0, policy: "accept", ...base };
	const nftables = [
		{ metainfo: { version: "1.1.3" } },
		{ table: { family: "inet", name: "t" } },
		{ chain: attached },
		{ rule: { ...of, chain: "c", handle: 7, expr } },
	];
	const read = parseRuleset(JSON.stringify({ nftables }));
	if (!read) throw new Error("no ruleset");
	return read;
}

export const match = (left: object, right: unknown, op = "==") => ({ match: { op, left, right } });
export const meta = (key: string, value: string) => match({ meta: { key } }, value);
export const state = (value: string) => match({ ct: { key: "state" } }, value, "in");
export const drop = { drop: null };

export function judged(service: Partial<ServiceFacts> = {}, facts: Partial<Facts> = {}): Report {
	return judgeService({ ...HEALTHY, ruleset: empty, ...facts }, { ...FINE, ...service });
}

export function wrong(service?: Partial<ServiceFacts>, facts?: Partial<Facts>): string[] {
	const { causes, review } = judged(service, facts);
	return [...causes, ...review]
		.filter(({ level }) => level !== "green")
		.map(({ level, id }) => `${level} ${id}`);
}
