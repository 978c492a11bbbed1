import type { IClientOptions } from "mqtt";
import { encodeUtf8 } from "../../lib/utf8.ts";
import type { Target } from "./transport.ts";

/** Seconds between signs of life; a dead connection is noticed within one and a half of them. */
export const KEEPALIVE = 30;

/** Who this is to the broker. */
export interface MqttIdentity {
	/** MQTT client id, e.g. `bgpwarden-router1`: the broker hangs up on an older client of the same id. */
	readonly clientId: string;
	/** Topic of the last will, whose payload is `offline`, retained. */
	readonly willTopic: string;
}

/** What the package is to do. @param patience milliseconds for the broker's first answer */
export function clientOptions(
	{ username, password }: Target,
	identity: MqttIdentity,
	patience: number,
): IClientOptions {
	return {
		clientId: identity.clientId,
		clean: true,
		keepalive: KEEPALIVE,
		connectTimeout: patience,
		// The package's own reconnecting has one fixed period, and queues.
		reconnectPeriod: 0,
		resubscribe: false,
		queueQoSZero: false,
		// Otherwise mqtt-packet builds a table of 65,536 Buffers: 34 MB under QuickJS.
		writeCache: false,
		timerVariant: "native",
		...(username ? { username, password } : {}),
		will: {
			topic: identity.willTopic,
			payload: encodeUtf8("offline") as Buffer,
			qos: 1,
			retain: true,
		},
	};
}

/** CONNACK's return codes (MQTT 3.1.1, table 3.1), and the package's own words, as one clear reason. */
export function brokerProblem(error: Error & { code?: number | string }, patience: number): string {
	switch (error.code) {
		case 1:
			return "the broker does not speak MQTT 3.1.1";
		case 2:
			return "the broker refused the client id";
		case 3:
			return "the broker is not available yet";
		case 4:
			return "the broker refused user name or password";
		case 5:
			return "the broker refused: not authorized (user name or password)";
	}
	if (error.message === "connack timeout") return `no answer from the broker within ${patience / 1000} s`;
	if (error.message === "Keepalive timeout") return "the broker has fallen silent";
	return error.message;
}
