import type { LastError } from "../../model/bird.ts";

/**
 * Errors of BIRD's own that end with what caused them (proto/bgp/bgp.c, `bgp_misc_errors`): a session that is tried again may
 * live. A route limit, a missing socket or a wrong key does not end by being tried again.
 */
const PASSING = new Set([
	"Error: Neighbor lost",
	"Error: Link down",
	"Error: BFD session down",
	"Error: Graceful restart",
]);

/** The connection broke; these are the C library's words, of glibc and musl. */
const BROKEN_CONNECTION =
	/^Socket: (?:Connection (?:closed|reset(?: by peer)?|refused|timed out)|Operation timed out|No route to host|Host is (?:unreachable|down)|Network (?:is )?unreachable|Network is down|Broken pipe)$/;

/**
 * Whether what BIRD says ended or prevented the session may be over, so that trying again at once can work. A list of what a
 * restart can cure, never of what it cannot: what is not in it, BIRD or a person has to wait for.
 */
export function isCurableError(error: LastError): boolean {
	const { text, notification } = error;
	if (error.bfdDown || PASSING.has(text) || BROKEN_CONNECTION.test(text)) return true;
	if (!notification) return false;
	const { by, code, subcode } = notification;
	// Hold timer expired (RFC 4271, section 4.5), whoever noticed: the link was gone.
	if (code === 4) return true;
	// FRR sends this when it dials before its interface has a link-local address, which IPv6 gets a second after the link.
	return by === "peer" && code === 5 && subcode === undefined;
}

/** The other side's NOTIFICATIONs, and BIRD's own words, about more routes than one side takes. */
export function isRouteLimit({ text, notification }: LastError): boolean {
	if (text === "Automatic shutdown: Route limit exceeded") return true;
	return notification?.code === 6 && notification.subcode === 1;
}

/** The other side is shut down on purpose (RFC 4486, Administrative Shutdown). */
export function isShutdown({ notification }: LastError): boolean {
	return notification?.by === "peer" && notification.code === 6 && notification.subcode === 2;
}
