/** The protocols' statements, one after the other: what comes later counts, as in BIRD. */

import type {
	BfdConfiguration,
	BgpConfiguration,
	ChannelConfiguration,
	DirectConfiguration,
	InterfaceOptions,
	KernelConfiguration,
} from "../../../model/bird-configuration.ts";
import { BGP_PORT } from "../../../model/ports.ts";
import { bfdOptions, interfacePatterns, readChannel } from "./options.ts";
import type { Statement } from "./statements.ts";
import { type Defines, Words } from "./words.ts";

type Draft<T> = { -readonly [Key in keyof T]: T[Key] | undefined };

/** Seconds; BIRD's default. */
const HOLD_TIME = 240;
/** `multihop` without a number. */
const MOST_HOPS = 64;

export function readBgp(name: string, statements: readonly Statement[], defines: Defines): BgpConfiguration {
	const draft: Draft<BgpConfiguration> = {
		name,
		disabled: false,
		passive: false,
		gracefulRestart: "aware",
		bfd: "off",
		holdTime: HOLD_TIME,
		password: false,
		channels: [],
	};
	let hops: number | false | "unsaid" | undefined = "unsaid";
	let keepalive: { readonly seconds: number | undefined } | undefined;
	const channels = new Map<string, ChannelConfiguration>();
	for (const statement of statements) {
		const words = new Words(statement, defines);
		if (words.accept("disabled")) draft.disabled = words.switch();
		else if (words.accept("local")) readLocal(words, draft);
		else if (words.accept("neighbor")) readNeighbor(words, draft);
		else if (words.accept("source", "address")) draft.localAddress = words.address()?.text;
		else if (words.accept("interface")) draft.interface = words.accept("range") ? undefined : words.text();
		else if (words.accept("multihop")) hops = words.done ? MOST_HOPS : words.number();
		else if (words.accept("direct")) hops = false;
		else if (words.accept("passive")) draft.passive = words.switch();
		else if (words.accept("graceful", "restart", "time")) continue;
		else if (words.accept("graceful", "restart")) draft.gracefulRestart = readGraceful(words);
		else if (words.accept("hold", "time")) draft.holdTime = words.number();
		else if (words.accept("keepalive", "time")) keepalive = { seconds: words.number() };
		else if (words.accept("bfd")) readBfdUse(words, defines, draft);
		else if (words.accept("password")) draft.password = words.peek()?.text !== "";
		else if (words.accept("keys")) draft.password = true;
		else readChannel(words, defines, channels);
	}
	const multihop = hops === "unsaid" ? multihopDefault(draft) : hops;
	const third = draft.holdTime === undefined ? undefined : Math.floor(draft.holdTime / 3);
	const keepaliveTime = keepalive ? keepalive.seconds : third;
	return finished({ ...draft, multihop, keepaliveTime, channels: [...channels.values()] });
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
	const channels = new Map<string, ChannelConfiguration>();
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
	const channels = new Map<string, ChannelConfiguration>();
	let disabled = false;
	for (const statement of statements) {
		const words = new Words(statement, defines);
		if (words.accept("disabled")) disabled = words.switch() ?? disabled;
		else readChannel(words, defines, channels);
	}
	return { name, disabled, channels: [...channels.values()] };
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
		if (words.accept("as")) draft.localAs = words.number();
		else if (words.accept("port")) draft.localPort = unusual(words.number());
		else words.next();
	}
}

/** `neighbor [ADDRESS[%zone] | range PREFIX] [port N] [as N] [internal | external] [onlink]`. */
function readNeighbor(words: Words, draft: Draft<BgpConfiguration>): void {
	const options = ["as", "port", "internal", "external", "onlink"];
	if (words.accept("range")) {
		const [address, , length] = [words.address(), words.acceptMark("/"), words.next()];
		draft.neighborRange = address && length?.kind === "number" ? `${address.text}/${length.text}` : undefined;
	} else if (!words.done && !options.includes(words.peek()?.text ?? "")) {
		draft.neighborAddress = words.address()?.text;
		if (words.acceptMark("%")) draft.interface = words.name();
	}
	while (!words.done) {
		if (words.accept("as")) draft.neighborAs = words.number();
		else if (words.accept("port")) draft.neighborPort = unusual(words.number());
		else if (words.accept("internal")) draft.neighborAs ??= "internal";
		else if (words.accept("external")) draft.neighborAs ??= "external";
		else words.next();
	}
}

function readGraceful(words: Words): BgpConfiguration["gracefulRestart"] | undefined {
	if (words.accept("aware")) return "aware";
	const on = words.switch();
	return on === undefined ? undefined : on ? "on" : "off";
}

/** `bfd`, `bfd on`, `bfd graceful`, `bfd { … }`. */
function readBfdUse(words: Words, defines: Defines, draft: Draft<BgpConfiguration>): void {
	if (words.block) {
		const graceful = words.block.some((statement) => new Words(statement, defines).accept("graceful"));
		if (graceful) draft.bfd = "graceful";
		else if (draft.bfd !== "graceful") draft.bfd = "on";
		draft.bfdOptions = { ...draft.bfdOptions, ...bfdOptions(words.block, defines) };
	} else if (words.accept("graceful")) draft.bfd = "graceful";
	else {
		const on = words.switch();
		draft.bfd = on === undefined ? undefined : on ? "on" : "off";
	}
}

function multihopDefault({ localAs, neighborAs }: Draft<BgpConfiguration>): number | false | undefined {
	if (neighborAs === "internal") return MOST_HOPS;
	if (neighborAs === "external") return false;
	if (localAs === undefined || neighborAs === undefined) return undefined;
	return localAs === neighborAs ? MOST_HOPS : false;
}

function unusual(port: number | undefined): number | undefined {
	return port === BGP_PORT ? undefined : port;
}

/** Without what could not be read. `disabled` and `password` are then taken for false. */
function finished<T extends { readonly disabled: boolean }>(draft: Draft<T>): T {
	const entries = Object.entries({ ...draft, disabled: draft.disabled ?? false });
	return Object.fromEntries(entries.filter(([, value]) => value !== undefined)) as T;
}
