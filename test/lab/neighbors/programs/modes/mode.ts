import type { Packet } from "../mqtt-packets.ts";
import type { Session } from "../session.ts";

/** One way in which a broker is hostile. */
export interface Mode {
	readonly name: string;
	/** What it sends, unasked, on a connection that has come up: the first SUBSCRIBE is answered. */
	attack?(session: Session): void;
	/** Its own answer to a packet. @returns whether that was all; else the usual answer follows */
	answer?(session: Session, packet: Packet): boolean;
	/** The connection has to be left within 10 s: it floods, or sends what nobody asked for. */
	readonly leaves?: boolean;
	/** Its processor time may reach a flood's bound. */
	readonly floods?: boolean;
	/** Its harm comes late. */
	readonly long?: boolean;
	/** What it shows to be the router's, so that it may be removed: a pattern of topics. */
	readonly shown?: RegExp;
	/** Played with QUICK=1 too. */
	readonly quick?: boolean;
}

/** The daemon's names in these plays. */
export const base = "bgpwarden/router";
export const device = "bgpwarden_router";
export const discovery = (objectId: string) => `homeassistant/device/${objectId}/config`;

/** What the daemon itself says of a device of this router. */
export function ownDevice(id: string, more: object = {}): string {
	return JSON.stringify({
		device: { identifiers: [id], via_device: device },
		origin: { name: "bgpwarden", sw_version: "0.1.0" },
		availability: [{ topic: `${base}/availability` }],
		...more,
	});
}
