import type { Effect } from "../model/rule-effect.ts";
import type { Attachment, Chain, Hook, Rule, Ruleset, Statement, Table, Verdict } from "../model/ruleset.ts";
import type { RuleHit, Walk } from "./hit.ts";
import { type Answer, allOf, type FindSet, lookUp, matches } from "./match.ts";
import { evaluate, type Journey, number, type Situation } from "./packet.ts";

/** Where conntrack looks at a packet first: NF_IP_PRI_CONNTRACK. */
const CONNTRACK = -200;
/**
 * All chains of type nat run at one place of a hook, whatever priority they name (net/netfilter/nf_nat_proto.c);
 * the priority only orders them among themselves.
 */
const NAT: Readonly<Record<string, number>> = {
	prerouting: -100,
	input: 100,
	output: -100,
	postrouting: 100,
};
/** The kernel refuses deeper jumps (NFT_JUMP_STACK_SIZE). */
const DEEPEST = 16;

const HOOKS = {
	in: ["ingress", "prerouting", "input"],
	out: ["output", "postrouting", "egress"],
	through: ["ingress", "prerouting", "forward", "postrouting", "egress"],
} as const;

/**
 * Walks a packet through every base chain, hook by hook and priority by priority, as the kernel would. What cannot be
 * known from the ruleset alone (users, control groups, meters) may match or not: everything behind it is then
 * uncertain. A limit lets the packet pass, since it is one packet.
 */
export function walk(ruleset: Ruleset, journey: Journey): Walk {
	return new Walker(ruleset, journey).run();
}

/** How a chain ended: `accept` ends the base chain, `stop` the packet's way. */
interface Ending {
	readonly kind: "end" | "accept" | "stop";
	/** Whether a packet that entered the chain comes to what follows for sure. */
	readonly certain: boolean;
}

interface Entry {
	readonly table: Table;
	readonly chain: Chain;
	readonly base: Attachment;
}

class Walker {
	private readonly hits: RuleHit[] = [];
	private readonly situation: Situation;
	/** Whether a rule has hidden the packet from conntrack. */
	private hidden: Answer = "no";
	private tracked = false;
	private diverted = false;
	private clamped = false;
	private routedMark: number | undefined = 0;
	private entry: Entry | undefined;
	private path: string[] = [];

	constructor(
		private readonly ruleset: Ruleset,
		private readonly journey: Journey,
	) {
		this.situation = { journey, hook: "prerouting", mark: 0, state: "invalid" };
	}

	run(): Walk {
		let outcome: Walk["outcome"] = "through";
		hooks: for (const hook of HOOKS[this.journey.direction]) {
			this.situation.hook = hook;
			for (const entry of this.entries(hook)) {
				if (hook !== "ingress" && place(entry.base) > CONNTRACK) this.track();
				if (entry.base.type === "nat" && !this.meetsNat()) continue;
				if (this.enter(entry).kind !== "stop") continue;
				outcome = this.diverted ? "diverted" : "stopped";
				break hooks;
			}
			if (hook !== "ingress") this.track();
			if (hook === "prerouting") this.routedMark = this.situation.mark;
		}
		const { journey, hits, clamped, routedMark: mark } = this;
		return { journey, hits, outcome, state: this.situation.state, mark, clamped };
	}

	/** The base chains of a hook in the order they run; of two at one place the younger one runs first. */
	private entries(hook: Hook): Entry[] {
		const own = this.journey.packet.family === 4 ? "ip" : "ip6";
		const found: Entry[] = [];
		for (const table of this.ruleset.tables) {
			if (table.dormant || !["inet", "netdev", own].includes(table.family)) continue;
			for (const chain of table.chains.values()) {
				if (chain.base?.hook === hook && this.passes(chain.base))
					found.unshift({ table, chain, base: chain.base });
			}
		}
		return found.sort((a, b) => place(a.base) - place(b.base) || a.base.priority - b.base.priority);
	}

	private passes({ devices, hook }: Attachment): boolean {
		const { interface: device, outInterface = device } = this.journey;
		return devices === undefined || devices.includes((hook === "egress" ? outInterface : device) ?? "");
	}

	private track(): void {
		if (this.tracked) return;
		this.tracked = true;
		this.situation.state =
			this.hidden === "no" ? this.journey.tracked : this.hidden === "yes" ? "untracked" : undefined;
	}

	/** NAT rules see the first packet of a connection, and nothing that is not tracked. */
	private meetsNat(): boolean {
		const { state } = this.situation;
		return state === "new" || (state === undefined && this.journey.tracked === "new");
	}

	private enter(entry: Entry): Ending {
		this.entry = entry;
		this.path = [];
		// What may be untracked may not get to NAT at all.
		const reached = entry.base.type !== "nat" || this.situation.state !== undefined;
		const ending = this.chain(entry.chain, reached);
		if (ending.kind !== "end" || entry.base.policy !== "drop") return ending;
		const certain = reached && ending.certain;
		this.meet("drop", certain);
		return { kind: certain ? "stop" : "accept", certain: true };
	}

	private chain(chain: Chain, reached: boolean): Ending {
		if (this.path.length >= DEEPEST) return { kind: "end", certain: false };
		this.path.push(chain.name);
		/** A rule that may have matched leads back to the calling chain. */
		let left = false;
		/** One that may have matched ends the base chain. */
		let gone = false;
		for (const rule of chain.rules) {
			const { answer, verdict, ending } = this.rule(rule, reached && !left && !gone);
			if (ending && ending.kind !== "end" && answer === "yes") {
				this.path.pop();
				return left ? { kind: "end", certain: false } : ending;
			}
			if (ending && (ending.kind !== "end" || !ending.certain)) gone = true;
			if (verdict?.kind !== "goto" && verdict?.kind !== "return") continue;
			if (answer === "yes") break;
			left = true;
		}
		this.path.pop();
		return { kind: "end", certain: !gone };
	}

	/** @returns how sure it is that the rule was carried out to its end, and how what it led to ended */
	private rule(rule: Rule, reached: boolean): { answer: Answer; verdict?: Verdict; ending?: Ending } {
		const find: FindSet = (name) => this.entry?.table.sets.get(name);
		let answer: Answer = "yes";
		const sure = () => reached && answer === "yes";
		for (let index = 0, statement = rule.at(0); statement; statement = rule.at(++index)) {
			if ("lookups" in statement)
				for (const { key, keys } of statement.lookups ?? [])
					answer = allOf([answer, matches(evaluate(key, this.situation), "==", keys, find)]);
			if (answer === "no") return { answer };
			switch (statement.kind) {
				case "match":
					answer = allOf([
						answer,
						matches(evaluate(statement.left, this.situation), statement.relation, statement.right, find),
					]);
					if (answer === "no") return { answer };
					break;
				case "limit":
					if (statement.over && statement.what !== "quota") return { answer: "no" };
					if (statement.over) answer = "maybe";
					break;
				case "unknown":
					answer = "maybe";
					break;
				case "verdict":
					return { answer, ...this.decide(statement.verdict, rule, statement, sure()) };
				case "vmap":
					return this.map(statement, rule, answer, reached, find);
				case "set":
					this.write(statement, rule, sure());
					break;
				case "notrack":
					this.hide(rule, statement, sure());
					break;
				case "reject":
					this.meet("reject", sure(), rule, statement);
					return { answer, ending: { kind: sure() ? "stop" : "accept", certain: true } };
				case "tproxy":
					// It goes on behind it; without anybody at its port the kernel ends the rule instead.
					if (this.journey.direction !== "out") this.meet("tproxy", sure(), rule, statement);
					break;
				case "queue":
					// The program at the other end may hand it back.
					this.meet("queue", sure(), rule, statement);
					return { answer, ending: { kind: "accept", certain: true } };
				case "snat":
				case "masquerade":
					this.meet(statement.kind, sure(), rule, statement);
					return { answer, ending: { kind: "accept", certain: true } };
				case "redirect":
				case "dnat":
				case "synproxy":
					this.meet(statement.kind, sure(), rule, statement);
					if (sure()) this.diverted = true;
					return { answer, ending: { kind: sure() ? "stop" : "accept", certain: true } };
			}
		}
		return { answer };
	}

	private map(
		statement: Extract<Statement, { kind: "vmap" }>,
		rule: Rule,
		answer: Answer,
		reached: boolean,
		find: FindSet,
	): { answer: Answer; verdict?: Verdict; ending?: Ending } {
		const met = lookUp(evaluate(statement.key, this.situation), statement.map, find);
		if (met === undefined) return { answer: "maybe", ending: { kind: "end", certain: false } };
		const [first, ...others] = met;
		if (!first) return { answer: "no" };
		const both = allOf([answer, first.answer]);
		const result = {
			answer: both,
			...this.decide(first.verdict, rule, statement, reached && both === "yes"),
		};
		for (const { verdict } of others) this.decide(verdict, rule, statement, false);
		return result;
	}

	private decide(
		verdict: Verdict,
		rule: Rule,
		statement: Statement,
		certain: boolean,
	): { verdict?: Verdict; ending?: Ending } {
		switch (verdict.kind) {
			case "continue":
				return {};
			case "return":
				return { verdict };
			case "accept":
				return { ending: { kind: "accept", certain: true } };
			case "drop":
				this.meet("drop", certain, rule, statement);
				return { ending: { kind: certain ? "stop" : "accept", certain: true } };
			default: {
				const target = this.entry?.table.chains.get(verdict.target);
				return { verdict, ending: target ? this.chain(target, certain) : { kind: "end", certain: true } };
			}
		}
	}

	private write({ target, value }: Extract<Statement, { kind: "set" }>, rule: Rule, certain: boolean): void {
		// `tcp option maxseg size set rt mtu`, as fw4's mtu_fix has it.
		if (target.kind === "unknown" && target.name === "tcp option") this.clamped = true;
		if (target.kind !== "meta" || target.key !== "mark") return;
		const mark = number(evaluate(value, this.situation), undefined);
		const before = this.situation.mark;
		this.situation.mark = certain || mark === before ? mark : undefined;
		// In a chain of type route the packet is routed anew by its mark.
		if (this.entry?.base.type === "route" && mark !== before) this.meet("mark", certain, rule);
	}

	private hide(rule: Rule, statement: Statement, certain: boolean): void {
		this.meet("notrack", certain, rule, statement);
		if (!this.tracked) {
			if (certain) this.hidden = "yes";
			else if (this.hidden === "no") this.hidden = "maybe";
		} else if (this.situation.state === "invalid") this.situation.state = certain ? "untracked" : undefined;
	}

	private meet(effect: Effect, certain: boolean, rule?: Rule, statement?: Statement): void {
		if (!this.entry) return;
		const { table, chain, base } = this.entry;
		this.hits.push({
			effect,
			certain,
			hook: base.hook,
			table,
			base: chain.name,
			priority: base.priority,
			path: [...this.path],
			...(rule ? { rule } : {}),
			...(statement ? { statement } : {}),
		});
	}
}

function place(base: Attachment): number {
	return base.type === "nat" ? (NAT[base.hook] ?? base.priority) : base.priority;
}
