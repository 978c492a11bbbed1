import type { Statement } from "./statements.ts";

/** Protocols of BIRD 1 that take no filter of their own in BIRD 2 and 3: it belongs to a channel. Pipes still do. */
const KINDS = ["bgp", "kernel", "static", "direct", "ospf", "rip", "babel"];
/** What stands in a channel today. */
const CHANNEL_OPTIONS =
	/^(?:(?:import|export) (?:all|none|filter|where|limit|keep)|(?:table|preference) \S+)$/;
/** Options of the whole file that are gone (nest/config.Y of BIRD 1.6): tables need to know their kind of route. */
const FILE_OPTIONS = /^(?:listen bgp|roa table|table \S+)$/;

/** The first words that BIRD 1 takes and that neither BIRD 2 nor 3 does; undefined when there are none. */
export function onlyBird1(statements: readonly Statement[]): string | undefined {
	for (const statement of statements) {
		const { words, block = [] } = statement;
		const isProtocol = ["protocol", "template"].includes(words[0]?.text ?? "");
		const inside = isProtocol && KINDS.includes(words[1]?.text ?? "") ? block : [];
		const found = FILE_OPTIONS.test(start(statement))
			? statement
			: inside.find((each) => CHANNEL_OPTIONS.test(start(each)));
		if (found) return start(found);
	}
	return undefined;
}

/** The first two words. */
function start({ words }: Statement): string {
	const [first, second] = words;
	return first?.kind === "word" && second ? `${first.text} ${second.text}` : "";
}
