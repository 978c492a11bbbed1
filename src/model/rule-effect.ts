/** What a rule can do to a packet's way, each with the words that lead to the rule. */
export const EFFECTS = {
	drop: "dropped by",
	reject: "rejected by",
	queue: "queued to a program (NFQUEUE) by",
	tproxy: "tproxied by",
	redirect: "redirected by",
	dnat: "redirected (DNAT) by",
	snat: "given another source by",
	masquerade: "given another source by",
	synproxy: "answered by the SYN proxy of",
	fwd: "forwarded to another interface by",
	mark: "marked and rerouted by",
	notrack: "kept out of conntrack by",
} as const;

export type Effect = keyof typeof EFFECTS;

/** Statements by their words in nft(8), and targets of iptables as nft prints them. */
const WORDS: readonly (readonly [RegExp, Effect])[] = [
	[/\b(?:tproxy|TPROXY)\b/, "tproxy"],
	[/\b(?:redirect|REDIRECT)\b/, "redirect"],
	[/\b(?:dnat|DNAT)\b/, "dnat"],
	[/\b(?:snat|SNAT)\b/, "snat"],
	[/\b(?:masquerade|MASQUERADE)\b/, "masquerade"],
	[/\b(?:queue|NFQUEUE)\b/, "queue"],
	[/\bfwd (?:ip6? )?to\b/, "fwd"],
	[/\b(?:synproxy|SYNPROXY)\b/, "synproxy"],
	[/\b(?:reject|REJECT)\b/, "reject"],
	[/\b(?:drop|DROP)\b/, "drop"],
	[/\b(?:notrack|NOTRACK)\b/, "notrack"],
	[/\bmeta mark set\b|\bMARK\b/, "mark"],
];

/**
 * Comments, prefixes of log lines, names of chains and of sets, maps, of whose verdicts at most one is met, and the states
 * that `ct status` compares. What is not closed goes to the end, so that no part of it is looked at again and again.
 */
const NAMES = /"[^"]*"|\{[^}]*(?:\}|$)|\bct status\s+\S+|\b(?:jump|goto)\s+\S+|@\S+/g;

/** @param text a rule as nft prints it. @returns what it does to a packet that matches; undefined: nothing of this */
export function effectOfRule(text: string): Effect | undefined {
	const statements = text.replace(NAMES, "");
	return WORDS.find(([word]) => word.test(statements))?.[1];
}
