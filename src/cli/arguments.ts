/** The command line of /usr/sbin/bgpwarden, parsed. Pure. */

import { birdName, hostAddress, wholeNumber } from "../config/kinds.ts";
import { DEFAULT_CONFIG_PATH } from "../config/schema.ts";
import type { ServiceRequest } from "../doctor/service/collect.ts";
import { type Prefix, parsePrefix } from "../lib/prefix.ts";
import { quoted } from "../lib/printable.ts";
import { didYouMean } from "../lib/suggest.ts";

export const DEFAULT_RUN_DIRECTORY = "/var/run/bgpwarden";

export type Command =
	| { readonly verb: "run" }
	| { readonly verb: "check" }
	| { readonly verb: "status"; readonly json: boolean }
	| { readonly verb: "peers"; readonly json: boolean }
	| ({ readonly verb: "doctor"; readonly json: boolean } & { readonly service?: ServiceRequest })
	| { readonly verb: "events"; readonly follow: boolean }
	| { readonly verb: "ensure" }
	| { readonly verb: "release" }
	| { readonly verb: "flush" }
	| { readonly verb: "restart"; readonly peer: string }
	/** @property peer its name or its address */
	| { readonly verb: "trace"; readonly peer: string; readonly seconds: number }
	| ({ readonly verb: "render" } & RenderOptions);

export interface RenderOptions {
	readonly what: (typeof RENDERED)[number];
	/** Compare with the BIRD that is there instead; only with `bird`. */
	readonly check: boolean;
	/** Ask the running BIRD as well, not only its file; only with `check`. */
	readonly live: boolean;
	/** For what `check` finds. */
	readonly json: boolean;
	/** The addresses that the cluster's services get, one prefix of a family. */
	readonly pools?: readonly Prefix[];
	/** Print passwords. */
	readonly secrets?: true;
}

/** A command with the options that all have. */
export type Invocation = Command & { readonly configPath: string; readonly runDirectory: string };

export type ParsedArguments =
	| Invocation
	/** @property topic an option of the configuration; absent: the general help */
	| { readonly verb: "help"; readonly topic?: string }
	| { readonly verb: "version" }
	/** Exit 2; one line for a person, without the program's name. */
	| { readonly verb: "usage"; readonly error: string };

/** How a verb is called: the options it has besides the global ones, and the word it needs. */
interface Form {
	readonly options?: readonly string[];
	readonly operand?: string;
	build(operand: string, given: ReadonlyMap<string, string>): Command | string;
}

const FORMS: Readonly<Record<Command["verb"], Form>> = {
	run: { build: () => ({ verb: "run" }) },
	check: { build: () => ({ verb: "check" }) },
	status: { options: ["--json"], build: (_, given) => ({ verb: "status", json: given.has("--json") }) },
	peers: { options: ["--json"], build: (_, given) => ({ verb: "peers", json: given.has("--json") }) },
	doctor: { options: ["--json", "--service", "--port", "--from"], build: buildDoctor },
	events: { options: ["--follow"], build: (_, given) => ({ verb: "events", follow: given.has("--follow") }) },
	ensure: { build: () => ({ verb: "ensure" }) },
	release: { build: () => ({ verb: "release" }) },
	flush: { build: () => ({ verb: "flush" }) },
	restart: { operand: "the name of a peer", build: buildRestart },
	trace: { options: ["--seconds"], operand: "the name of a peer, or its address", build: buildTrace },
	render: {
		operand: "what to render: nft, bird, metallb, frr-k8s, cilium or frr",
		options: ["--check", "--live", "--json", "--pool", "--secrets"],
		build: buildRender,
	},
};

/** Every command but `help`. */
export const VERBS = Object.keys(FORMS) as readonly Command["verb"][];

/** What each of them needs. */
const WITH_VALUE: Readonly<Record<string, string>> = {
	"--config": "a file",
	"--run-dir": "a directory",
	"--seconds": "a number",
	"--pool": "a prefix such as 192.168.20.0/24",
	"--service": "an address such as 192.168.20.10",
	"--port": "a number",
	"--from": "a client's address",
};
/** Options that only some commands take. */
const OWN = [
	...["--json", "--follow", "--check", "--live", "--pool", "--secrets", "--seconds"],
	...["--service", "--port", "--from"],
];
export const OPTIONS: readonly string[] = [...Object.keys(WITH_VALUE), ...OWN, "--help", "--version"];
export const RENDERED = ["nft", "bird", "metallb", "frr-k8s", "cilium", "frr"] as const;
/** How long a trace is, unless it is said. */
const SECONDS = 30;
const traceSeconds = wholeNumber("a number of seconds", 1, 3600);
const tcpPort = wholeNumber("a TCP port", 1, 65_535);

/**
 * @param args everything after the program's name
 * @returns what to do. `--help` and `--version` win over anything else that is right or wrong. Never throws.
 */
export function parseArguments(args: readonly string[]): ParsedArguments {
	const given = new Map<string, string>();
	const words: string[] = [];
	let error: string | undefined;
	for (let index = 0; index < args.length; index++) {
		const argument = args[index] ?? "";
		if (argument === "--") {
			words.push(...args.slice(index + 1));
			break;
		}
		if (!argument.startsWith("-") || argument === "-") {
			words.push(argument);
			continue;
		}
		const equals = argument.startsWith("--") ? argument.indexOf("=") : -1;
		const name = argument === "-h" ? "--help" : equals < 0 ? argument : argument.slice(0, equals);
		const needed = Object.hasOwn(WITH_VALUE, name) ? WITH_VALUE[name] : undefined;
		if (needed !== undefined) {
			const value = equals < 0 ? args[++index] : argument.slice(equals + 1);
			if (value === undefined || value === "") error ??= `${name} needs ${needed}`;
			// A second pool, of the other address family; no prefix has a comma.
			else if (name === "--pool" && given.has(name)) given.set(name, `${given.get(name)},${value}`);
			else given.set(name, value);
		} else if (!OPTIONS.includes(name))
			error ??= `unknown option ${quoted(name)}${didYouMean(name, OPTIONS)}`;
		else if (equals >= 0) error ??= `${name} takes no value`;
		else given.set(name, "");
	}
	if (given.has("--help")) return { verb: "help" };
	if (given.has("--version")) return { verb: "version" };
	if (error !== undefined) return { verb: "usage", error };
	if (words[0] === "help") return parseHelp(words.slice(1));
	const command = parseCommand(words, given);
	if (typeof command === "string") return { verb: "usage", error: command };
	return {
		...command,
		configPath: given.get("--config") ?? DEFAULT_CONFIG_PATH,
		runDirectory: given.get("--run-dir") ?? DEFAULT_RUN_DIRECTORY,
	};
}

/** The help of a command is the general one. */
function parseHelp([topic, extra]: readonly string[]): ParsedArguments {
	if (extra !== undefined) return { verb: "usage", error: `help: unexpected argument ${quoted(extra)}` };
	return topic === undefined || isVerb(topic) ? { verb: "help" } : { verb: "help", topic };
}

function isVerb(word: string): word is Command["verb"] {
	return Object.hasOwn(FORMS, word);
}

function parseCommand(words: readonly string[], given: ReadonlyMap<string, string>): Command | string {
	const [verb, ...operands] = words;
	if (verb === undefined) return "a command is missing";
	if (!isVerb(verb)) return `unknown command ${quoted(verb)}${didYouMean(verb, VERBS)}`;
	const form = FORMS[verb];
	for (const option of OWN)
		if (given.has(option) && !form.options?.includes(option)) return `${verb} does not take ${option}`;
	const [operand = ""] = operands;
	if (form.operand !== undefined && operand === "") return `${verb} needs ${form.operand}`;
	const extra = operands[form.operand === undefined ? 0 : 1];
	if (extra !== undefined) return `${verb}: unexpected argument ${quoted(extra)}`;
	return form.build(operand, given);
}

function buildRestart(operand: string): Command | string {
	const peer = birdName.read(operand);
	return peer === undefined
		? `restart: ${quoted(operand)} is not ${birdName.expected}`
		: { verb: "restart", peer };
}

function buildDoctor(_: string, given: ReadonlyMap<string, string>): Command | string {
	const json = given.has("--json");
	const asked = given.get("--service");
	if (asked === undefined) {
		const alone = ["--port", "--from"].find((option) => given.has(option));
		return alone === undefined ? { verb: "doctor", json } : `doctor: ${alone} needs --service`;
	}
	const address = hostAddress.read(asked);
	if (address === undefined || address.includes("%"))
		return `doctor: --service: ${quoted(asked)} is not ${hostAddress.expected}`;
	const [portText, fromText] = [given.get("--port"), given.get("--from")];
	const port = portText === undefined ? undefined : tcpPort.read(portText);
	if (portText !== undefined && port === undefined)
		return `doctor: --port: ${quoted(portText)} is not ${tcpPort.expected}`;
	const from = fromText === undefined ? undefined : hostAddress.read(fromText);
	if (fromText !== undefined && (from === undefined || from.includes("%")))
		return `doctor: --from: ${quoted(fromText)} is not ${hostAddress.expected}`;
	if (from?.includes(":") === !address.includes(":"))
		return `doctor: --from and --service are not of one address family`;
	const service = {
		address,
		...(port === undefined ? {} : { port }),
		...(from === undefined ? {} : { from }),
	};
	return { verb: "doctor", json, service };
}

function buildTrace(operand: string, given: ReadonlyMap<string, string>): Command | string {
	const peer = birdName.read(operand) ?? hostAddress.read(operand);
	if (peer === undefined)
		return `trace: ${quoted(operand)} is neither ${birdName.expected} nor ${hostAddress.expected}`;
	const text = given.get("--seconds");
	const seconds = text === undefined ? SECONDS : traceSeconds.read(text);
	if (seconds === undefined) return `trace: --seconds: ${quoted(text ?? "")} is not ${traceSeconds.expected}`;
	return { verb: "trace", peer, seconds };
}

function buildRender(operand: string, given: ReadonlyMap<string, string>): Command | string {
	const what = RENDERED.find((each) => each === operand);
	if (what === undefined)
		return `render: ${quoted(operand)} is not one of ${RENDERED.join(", ")}${didYouMean(operand, RENDERED)}`;
	const [check, live, json] = [given.has("--check"), given.has("--live"), given.has("--json")];
	if (check && what !== "bird") return `render ${what} does not take --check; only 'render bird' does`;
	for (const option of ["--live", "--json"])
		if (given.has(option) && !check) return `render: ${option} needs --check`;
	const pools: Prefix[] = [];
	for (const option of ["--pool", "--secrets"])
		if (given.has(option) && (what === "nft" || check))
			return `render ${what}${check ? " --check" : ""} does not take ${option}`;
	for (const text of given.get("--pool")?.split(",") ?? []) {
		const pool = parsePrefix(text);
		if (!pool)
			return `render: --pool: ${quoted(text)} is not a prefix such as 192.168.20.0/24 (without bits behind its length)`;
		if (pools.some(({ family }) => family === pool.family))
			return `render: --pool may be given twice, for IPv4 and for IPv6, not twice for IPv${pool.family}`;
		pools.push(pool);
	}
	return {
		...{ verb: "render", what, check, live, json },
		...(pools.length > 0 ? { pools } : {}),
		...(given.has("--secrets") ? { secrets: true } : {}),
	};
}
