/** The protocols' statements, one after the other: what comes later counts, as in BIRD. */

import type {
	BfdConfiguration,
	BgpConfiguration,
	DirectConfiguration,
	InterfaceOptions,
	KernelConfiguration,
	NextHop,
} from "../../../model/bird-configuration.ts";
import { BGP_PORT } from "../../../model/ports.ts";
import { type Channels, readChannel, withBgpDefaults } from "./channels.ts";
import type { Defines } from "./expressions.ts";
import { bfdOptions, interfacePatterns } from "./options.ts";
import type { Statement } from "./statements.ts";
import { Words } from "./words.ts";

type Draft<T> = { -readonly [Key in keyof T]: T[Key] | undefined };

/** `multihop` without a number. */
const MOST_HOPS = 64;
/** What BIRD takes where the file says nothing (proto/bgp/config.Y, bgp_proto_start); seconds. */
const BGP_DEFAULTS = {
	passive: false,
	gracefulRestart: "aware",
	bfd: "off",
	holdTime: 240,
	startupHoldTime: 240,
	connectDelayTime: 5,
	connectRetryTime: 120,
	errorWaitTime: { first: 60, longest: 300 },
	errorForgetTime: 300,
	disableAfterError: false,
	enforceFirstAs: false,
	ttlSecurity: false,
	strictBind: false,
	dynamicName: "dynbgp",
} as const;
const SWITCHES = [
	["disabled", "disabled"],
	["passive", "passive"],
	["disable after error", "disableAfterError"],
	["enforce first as", "enforceFirstAs"],
	["ttl security", "ttlSecurity"],
	["strict bind", "strictBind"],
] as const;
const TIMES = [
	["hold time", "holdTime"],
	["startup hold time", "startupHoldTime"],
	["connect delay time", "connectDelayTime"],
	["start delay time", "connectDelayTime"],
	["connect retry time", "connectRetryTime"],
	["error forget time", "errorForgetTime"],
] as const;

export function readBgp(name: string, statements: readonly Statement[], defines: Defines): BgpConfiguration {
	const draft: Draft<BgpConfiguration> = {
		...BGP_DEFAULTS,
		name,
		disabled: false,
		password: false,
		channels: [],
	};
	let hops: number | false | "unsaid" | undefined = "unsaid";
	let keepalive: { readonly seconds: number | undefined } | undefined;
	let [reflects, serves]: (boolean | undefined)[] = [false, false];
	const channels: Channels = new Map();
	for (const statement of statements) {
		const words = new Words(statement, defines);
		const option = words.acceptOne(SWITCHES);
		const time = words.acceptOne(TIMES);
		if (option) draft[option[1]] = words.switch();
		else if (time) draft[time[1]] = words.number();
		else if (words.accept("local")) readLocal(words, draft);
		else if (words.accept("neighbor")) readNeighbor(words, draft);
		else if (words.accept("source", "address")) draft.localAddress = words.address()?.text;
		else if (words.accept("interface")) draft.interface = words.accept("range") ? undefined : words.text();
		else if (words.accept("multihop")) hops = words.done ? MOST_HOPS : words.number();
		else if (words.accept("direct")) hops = false;
		else if (words.accept("graceful", "restart", "time")) continue;
		else if (words.accept("graceful", "restart")) draft.gracefulRestart = readGraceful(words);
		else if (words.accept("keepalive", "time")) keepalive = { seconds: words.number() };
		else if (words.accept("error", "wait", "time")) draft.errorWaitTime = readWait(words);
		else if (words.accept("dynamic", "name", "digits")) continue;
		else if (words.accept("dynamic", "name")) draft.dynamicName = words.text();
		else if (words.accept("bfd")) readBfdUse(words, defines, draft);
		else if (words.accept("password")) draft.password = words.text() !== "";
		else if (words.accept("keys")) draft.password = true;
		else if (words.accept("rr", "client")) reflects = words.switch();
		else if (words.accept("rs", "client")) serves = words.switch();
		else readChannel(words, defines, channels);
	}
	const internal = isInternal(draft);
	const multihop =
		hops !== "unsaid" ? hops : internal === undefined ? undefined : internal ? MOST_HOPS : false;
	const third = draft.holdTime === undefined ? undefined : Math.floor(draft.holdTime / 3);
	const keepaliveTime = keepalive ? keepalive.seconds : third;
	const nextHopKeep: NextHop = reflects ? "ibgp" : (serves ?? false);
	const { disableAfterError } = draft;
	return finished({
		...draft,
		multihop,
		keepaliveTime,
		channels: withBgpDefaults(channels, { internal, multihop, disableAfterError, nextHopKeep }),
	});
}

export function readBfd(name: string, statements: readonly Statement[], defines: Defines): BfdConfiguration {
	const interfaces: InterfaceOptions[] = [];
	const draft: Draft<BfdConfiguration> = {
		name,
		disabled: false,
		interfaces,
		accept: { ipv4: true, ipv6: true, direct: true, multihop: true },
	};
	for (const statement of statements) {
		const words = new Words(statement, defines);
		if (words.accept("disabled")) draft.disabled = words.switch();
		else if (words.accept("interface"))
			interfaces.push({
				patterns: interfacePatterns(words),
				options: bfdOptions(words.block ?? [], defines),
			});
		else if (words.accept("multihop")) draft.multihop = bfdOptions(words.block ?? [], defines);
		else if (words.accept("accept")) draft.accept = readAccept(words);
	}
	return finished(draft);
}

export function readDirect(
	name: string,
	statements: readonly Statement[],
	defines: Defines,
): DirectConfiguration {
	const patterns: string[] = [];
	const channels: Channels = new Map();
	let disabled = false;
	for (const statement of statements) {
		const words = new Words(statement, defines);
		if (words.accept("disabled")) disabled = words.switch() ?? disabled;
		else if (words.accept("interface")) patterns.push(...interfacePatterns(words));
		else readChannel(words, defines, channels);
	}
	return { name, disabled, patterns, families: [...channels.keys()] };
}

export function readKernel(
	name: string,
	statements: readonly Statement[],
	defines: Defines,
): KernelConfiguration {
	const channels: Channels = new Map();
	let [disabled, learn, mergePaths] = [false, false, false];
	for (const statement of statements) {
		const words = new Words(statement, defines);
		if (words.accept("disabled")) disabled = words.switch() ?? disabled;
		// `learn`, `learn yes`, and in BIRD 2.0.8 `learn all`.
		else if (words.accept("learn")) learn = words.accept("all") || (words.switch() ?? true);
		// `merge paths`, `merge paths on limit 4`, `merge paths limit 4`.
		else if (words.accept("merge", "paths")) mergePaths = words.accept("limit") || (words.switch() ?? true);
		else readChannel(words, defines, channels);
	}
	return {
		name,
		disabled,
		channels: [...channels.values()],
		...(learn ? { learn } : {}),
		...(mergePaths ? { mergePaths } : {}),
	};
}

/** `accept ipv4 direct`: each word takes its opposite away, and gives itself back. */
function readAccept(words: Words): BfdConfiguration["accept"] {
	const accept = { ipv4: true, ipv6: true, direct: true, multihop: true };
	while (!words.done) {
		if (words.accept("ipv4")) Object.assign(accept, { ipv4: true, ipv6: false });
		else if (words.accept("ipv6")) Object.assign(accept, { ipv4: false, ipv6: true });
		else if (words.accept("direct")) Object.assign(accept, { direct: true, multihop: false });
		else if (words.accept("multihop")) Object.assign(accept, { direct: false, multihop: true });
		else words.next();
	}
	return accept;
}

/** `local [ADDRESS[%zone]] [port N] [as N]`, or `local role …`. */
function readLocal(words: Words, draft: Draft<BgpConfiguration>): void {
	if (words.accept("role")) return;
	const isAddress = !words.done && !["as", "port"].includes(words.peek()?.text ?? "");
	if (isAddress) {
		draft.localAddress = words.address()?.text;
		if (words.acceptMark("%")) draft.interface = words.name();
	}
	while (!words.done) {
		if (words.accept("as")) draft.localAs = words.number(1);
		else if (words.accept("port")) draft.localPort = unusual(words.number(1, 65_535));
		else words.next();
	}
}

/** `neighbor [ADDRESS[%zone] | range PREFIX] [port N] [as N] [internal | external] [onlink]`. */
function readNeighbor(words: Words, draft: Draft<BgpConfiguration>): void {
	const options = ["as", "port", "internal", "external", "onlink"];
	if (words.accept("range")) {
		draft.neighborRange = words.prefix();
	} else if (!words.done && !options.includes(words.peek()?.text ?? "")) {
		draft.neighborAddress = words.address()?.text;
		if (words.acceptMark("%")) draft.interface = words.name();
	}
	while (!words.done) {
		if (words.accept("as")) draft.neighborAs = words.number(1);
		else if (words.accept("port")) draft.neighborPort = unusual(words.number(1, 65_535));
		else if (words.accept("internal")) draft.neighborAs = kind(draft, "internal");
		else if (words.accept("external")) draft.neighborAs = kind(draft, "external");
		else words.next();
	}
}

/** A number says more than its kind. */
function kind(
	{ neighborAs }: Draft<BgpConfiguration>,
	said: "internal" | "external",
): BgpConfiguration["neighborAs"] {
	return typeof neighborAs === "number" ? neighborAs : said;
}

/** `FIRST, LONGEST` */
function readWait(words: Words): BgpConfiguration["errorWaitTime"] | undefined {
	const first = words.number();
	const longest = words.acceptMark(",") ? words.number() : undefined;
	return first === undefined || longest === undefined ? undefined : { first, longest };
}

function readGraceful(words: Words): BgpConfiguration["gracefulRestart"] | undefined {
	if (words.accept("aware")) return "aware";
	const on = words.switch();
	return on === undefined ? undefined : on ? "on" : "off";
}

/**
 * `bfd`, `bfd on`, `bfd graceful`, `bfd { … }`, `bfd off`. All but the last only add to what is there, perhaps a
 * template's; so `bfd on` leaves `graceful` as it is. `off` forgets all of it (nest/config.Y, init_bfd_opts).
 */
function readBfdUse(words: Words, defines: Defines, draft: Draft<BgpConfiguration>): void {
	const { block } = words;
	const graceful = block
		? block.some((statement) => new Words(statement, defines).accept("graceful"))
		: words.accept("graceful");
	const on = graceful || block !== undefined || words.switch();
	if (block) draft.bfdOptions = { ...draft.bfdOptions, ...bfdOptions(block, defines) };
	if (!on) draft.bfdOptions = undefined;
	if (on === undefined) draft.bfd = undefined;
	else if (!on) draft.bfd = "off";
	else if (graceful || draft.bfd !== "graceful") draft.bfd = graceful ? "graceful" : "on";
}

function isInternal({ localAs, neighborAs }: Draft<BgpConfiguration>): boolean | undefined {
	if (typeof neighborAs === "string") return neighborAs === "internal";
	return localAs === undefined || neighborAs === undefined ? undefined : localAs === neighborAs;
}

function unusual(port: number | undefined): number | undefined {
	return port === BGP_PORT ? undefined : port;
}

/** Without what could not be read. `disabled` and `password` are then taken for false. */
function finished<T extends { readonly disabled: boolean }>(draft: Draft<T>): T {
	const entries = Object.entries({ ...draft, disabled: draft.disabled ?? false });
	return Object.fromEntries(entries.filter(([, value]) => value !== undefined)) as T;
}
