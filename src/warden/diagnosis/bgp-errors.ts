import type { BgpError } from "../../model/bird.ts";
import type { SpeakerWords } from "../../model/speaker.ts";
import type { PeerRecord } from "../peer-record.ts";

/** A speaker's pod that is replaced is back within this many ms. */
const REPLACED_WITHIN = 120_000;

/**
 * Whether one side refuses the session, by BIRD's last error, rather than ending one that was up: OPEN errors, and a rejected or
 * shut down peer. FRR and GoBGP say `Peer de-configured` as they end, too: after a session that was up, it is a refusal only
 * once nobody has come back.
 */
export function isRefused({ peer, lostWith, downSince = 0 }: PeerRecord, now: number): boolean {
	const { text, notification } = peer.lastError ?? {};
	if (!notification) return false;
	const { code, subcode } = notification;
	if (code === 1 || code === 2) return true;
	if (code === 6 && subcode === 3) return lostWith !== text || now - downSince >= REPLACED_WITHIN;
	return code === 6 && (subcode === 2 || subcode === 5);
}

/** `Bad peer AS (RFC 4271 code 2, subcode 2)`. */
export function describeError({ text, code, subcode }: BgpError): string {
	return `${text} (RFC 4271 code ${code}${subcode === undefined ? "" : `, subcode ${subcode}`})`;
}

/** What to change, by the error. */
export function adviseError({ by, code, subcode }: BgpError, { as, peer, holdTime }: SpeakerWords): string {
	const [here, there] = by === "router" ? ["neighbor … as", as[0]] : ["local … as", as[1]];
	if (code === 2 && subcode === 2)
		return `make the AS numbers agree: \`${here}\` in BIRD and \`${there}\` in ${peer}`;
	if (code === 2 && subcode === 3) return "give router and speaker different router ids";
	if (code === 2 && subcode === 6)
		return `raise the hold time to at least 3 s on both sides: \`hold time\` in BIRD and ${holdTime}`;
	if (code === 2 && subcode === 8) return "configure a channel (ipv4, ipv6) that both sides have";
	if (code === 6 && subcode === 2) return "the other side is shut down by its administrator: enable it there";
	if (code === 6 && (subcode === 3 || subcode === 5))
		return "the other side does not have this router as a peer: add it there";
	return "compare the configuration of both sides";
}
