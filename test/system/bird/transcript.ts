import { readdirSync, readFileSync } from "node:fs";
import type { BirdReading } from "../../../src/model/bird.ts";
import { joinReading } from "../../../src/system/bird/join-reading.ts";
import { parseBfd } from "../../../src/system/bird/parse-bfd.ts";
import { parseProtocols } from "../../../src/system/bird/protocol-reader.ts";
import { parseGreeting, parseReply } from "../../../src/system/bird/replies.ts";

export const FIXTURES = new URL("../../fixtures/bird/", import.meta.url);

/** When the captures were made, or soon after. */
export const NOW = Date.UTC(2026, 10, 27);

/** The versions of BIRD that were captured. */
export const VERSIONS = readdirSync(FIXTURES).flatMap(
	(name) => /^bird-([\d.]+)-all\.txt$/.exec(name)?.[1] ?? [],
);

export function fixture(name: string): string {
	return readFileSync(new URL(name, FIXTURES), "utf8");
}

/** What a birdcl session printed, taken apart at its prompts. */
export interface Transcript {
	readonly greeting: string;
	/** Answers by command. */
	readonly answers: ReadonlyMap<string, string>;
}

export function takeApart(session: string): Transcript {
	const [greeting = "", ...rest] = session.split(/^bird> /m);
	const answers = rest.map((each) => {
		const end = each.indexOf("\n");
		return [each.slice(0, end), each.slice(end + 1)] as const;
	});
	return { greeting, answers: new Map(answers) };
}

/** A captured session with all that a reading asks: captures with `show bfd sessions all` get the table from beside them. */
export function captured(name: string): Transcript {
	const transcript = takeApart(fixture(`${name}.txt`));
	const all = transcript.answers.get("show bfd sessions all");
	if (transcript.answers.has(TABLE) || all === undefined) return transcript;
	const [, version = ""] = /^(bird-[\d.]+)-/.exec(name) ?? [];
	// Where there is no BFD, both are refused in the same words.
	const table = all.startsWith("9001")
		? all
		: takeApart(fixture(`${version}-bfd-table.txt`)).answers.get(TABLE);
	const rest = [...transcript.answers].filter(([command]) => command !== "show bfd sessions all");
	return { ...transcript, answers: new Map([...rest, [TABLE, table ?? ""]]) };
}

const TABLE = "show bfd sessions";

/** Answers that BIRD gave, without the questions that an old BIRD does not know. */
export function withoutRefused(transcript: Transcript): Transcript {
	const answers = [...transcript.answers].filter(([, answer]) => !answer.startsWith("9001 syntax"));
	return { ...transcript, answers: new Map(answers) };
}

/** A whole reading out of a captured session; undefined as soon as one answer is refused. */
export function readTranscript({ greeting, answers }: Transcript): BirdReading | undefined {
	const protocolsReply = parseReply(answers.get("show protocols all") ?? "?");
	const protocols = protocolsReply && parseProtocols(protocolsReply);
	const bfdReply = parseReply(answers.get(TABLE) ?? "?");
	const sessions = bfdReply && parseBfd(bfdReply);
	if (!protocols || !sessions) return undefined;
	return joinReading({ version: parseGreeting(greeting)?.version }, protocols, sessions, NOW);
}

/** A reading as the expected values hold it: without times, which each capture has anew. */
export function withoutTimes(reading: BirdReading | undefined): unknown {
	if (!reading) return undefined;
	const { configured: _, ...rest } = reading;
	return { ...rest, peers: reading.peers.map(({ since: __, ...peer }) => peer) };
}
