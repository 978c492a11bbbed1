import type { Neighbor, Route } from "../../model/inspection.ts";

/**
 * `ip route get ADDRESS`, e.g. `192.168.1.2 dev tailscale0 table 52 src 192.168.1.1 uid 0`.
 * @returns undefined when it is no route
 */
export function parseRoute(text: string): Route | undefined {
	const [line = ""] = text.split("\n");
	const words = line.trim().split(/\s+/);
	const after = (word: string) => {
		const at = words.indexOf(word, 1);
		return at < 0 ? undefined : words[at + 1];
	};
	const device = after("dev");
	if (device === undefined) return undefined;
	const gateway =
		after("via") === "inet6" || after("via") === "inet" ? words[words.indexOf("via") + 2] : after("via");
	const table = after("table");
	const source = after("src");
	return {
		interface: device,
		...(gateway === undefined ? {} : { gateway }),
		...(source === undefined ? {} : { source }),
		...(table === undefined || table === "main" || table === "local" ? {} : { table }),
	};
}

/** Why `ip route get` found none, out of its standard error, e.g. `RTNETLINK answers: Network is unreachable`. */
export function parseNoRoute(complaint: string): string | undefined {
	return /RTNETLINK answers: (.+)$/.exec(complaint.trim())?.[1];
}

const STATES = /\b(REACHABLE|STALE|DELAY|PROBE|FAILED|INCOMPLETE|PERMANENT|NOARP|NONE)\b/;

/** `ip neigh show ADDRESS`: one line, or nothing, which is `none`. */
export function parseNeighbor(text: string): Neighbor | "none" | undefined {
	if (text.trim() === "") return "none";
	const [line = ""] = text.split("\n");
	const device = / dev (\S+)/.exec(line)?.[1];
	const state = STATES.exec(line)?.[1];
	return device === undefined || state === undefined ? undefined : { interface: device, state };
}
