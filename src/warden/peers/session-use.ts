import type { BirdChannel, BirdPeer, ImportUpdates } from "../../model/bird.ts";
import type { FindingId } from "../../model/catalog.ts";
import type { SpeakerWords } from "../../model/speaker.ts";

/** What is to be said about a session that is up and of no use. It is no fault: the peer's level stays as it is. */
export interface SessionNote {
	readonly id: Extract<
		FindingId,
		| "nothing-announced"
		| "all-filtered"
		| "all-rejected"
		| "next-hops-unreachable"
		| "family-down"
		| "second-speaker"
	>;
	/** One sentence, with the counts. */
	readonly text: string;
	/** What a person may change. */
	readonly remedy: string;
}

/** Milliseconds that a session must have been up before its use is judged. */
export const USE_AFTER = 30_000;

/**
 * Which side keeps an Established session from being of use: the daemon and the doctor ask here. Says nothing about a peer that
 * nothing is imported from (`import none`), nor about a `neighbor range`: its nodes are judged each.
 * @param upFor milliseconds that the session has been up
 * @param words of the speaker
 */
export function judgeUse(peer: BirdPeer, upFor: number, words: SpeakerWords): SessionNote | undefined {
	const { name, imported, unreachable = 0, updates } = peer;
	if (peer.state !== "Established" || peer.neighborRange !== undefined || upFor < USE_AFTER) return undefined;
	if (imported && unreachable > 0)
		return {
			id: "next-hops-unreachable",
			text: `BIRD cannot reach the next hop of ${unreachable} of the ${imported} routes that it imported`,
			remedy: `\`birdc show route all protocol ${name}\` shows the next hops; add protocol direct with the interface towards them, or a route`,
		};
	if (imported === 0 && updates) return judgeUpdates(name, updates, "", words);
	const [note] = (peer.channels ?? []).flatMap((channel) => judgeChannel(name, channel) ?? []);
	return note;
}

/** One of several address families of a session, another of which is of use. */
function judgeChannel(
	name: string,
	{ family, isDown, imported, updates }: BirdChannel,
): SessionNote | undefined {
	if (isDown)
		return {
			id: "family-down",
			text: `${family} is not a part of the session: the other side has not agreed to it, or the channel is disabled`,
			remedy: `add the address family on the other side, or leave the channel ${family} out of protocol bgp ${name}`,
		};
	// That one family announces nothing is nothing to speak of.
	return imported === 0 && updates ? judgeUpdates(name, updates, ` as ${family}`) : undefined;
}

/** @param words absent: these are not all families of the session */
function judgeUpdates(
	name: string,
	{ received, rejected, filtered, withdrawn }: ImportUpdates,
	family: string,
	words?: SpeakerWords,
): SessionNote | undefined {
	const counts = Object.entries({ received, filtered, rejected, withdrawn, imported: 0 })
		.filter(([key, count]) => count > 0 || key === "received" || key === "imported")
		.map(([key, count]) => `${key} ${count}`)
		.join(", ");
	const gone = withdrawn >= received;
	if (gone || filtered + rejected === 0) {
		if (!words) return undefined;
		// Routes that are neither left out nor withdrawn: a limit holds them back, which is told elsewhere.
		if (!gone && withdrawn === 0) return undefined;
		const [usable, wrong] =
			received > 0 || withdrawn === 0
				? ["", ""]
				: [" that BIRD can use", ", or its routes hold this router's AS or a wrong next hop"];
		return {
			id: "nothing-announced",
			text: `the peer announces nothing${usable} (${counts}): no service has an address, or no advertisement selects it${wrong}`,
			remedy: `check \`kubectl get services -A\` for a LoadBalancer with an address, and ${words.advertisement}`,
		};
	}
	if (filtered >= rejected)
		return {
			id: "all-filtered",
			text: `BIRD's import filter leaves out everything that the peer announces${family} (${counts})`,
			remedy: `change \`import\` of protocol bgp ${name}, or set \`import none\` where nothing is wanted`,
		};
	return {
		id: "all-rejected",
		text: `BIRD rejects everything that the peer announces${family} (${counts})`,
		remedy: "BIRD's log says what is wrong with the routes; announce others",
	};
}
