import { parseAddress } from "../../lib/address.ts";
import { runToEnd } from "../../platform/supervise.ts";
import { FileError, type Platform } from "../../platform/types.ts";
import { parseAddresses } from "./ip-text.ts";
import { type IsLocal, localAddresses, ownIpv4 } from "./local-addresses.ts";
import { connectedIpv4, type Network, networkOf, parseConnected6 } from "./networks.ts";

/** What the router's own addresses tell. */
export interface RouterAddresses {
	readonly isLocal: IsLocal;
	/** The networks that its interfaces are in. */
	readonly networks: readonly Network[];
}

/** Bytes of /proc/net/fib_trie and /proc/net/route, which list every route: `ip` can be asked for the addresses alone. */
const LIMIT = 1 << 18;
/** Milliseconds until an `ip` that does not end is killed. */
const PATIENCE = 2000;

/**
 * Reads the router's own addresses. Starts no process unless it has thousands of routes, or /proc does not tell.
 * @returns or why they cannot be read, as one line
 */
export async function readAddresses(platform: Platform): Promise<RouterAddresses | string> {
	const { files } = platform;
	let why = "/proc/net/fib_trie and /proc/net/route say nothing";
	try {
		const ifInet6 = files.status("/proc/net/if_inet6") ? files.read("/proc/net/if_inet6", LIMIT) : "";
		const fibTrie = files.read("/proc/net/fib_trie", LIMIT);
		const routes = files.read("/proc/net/route", LIMIT);
		const own = ownIpv4(fibTrie);
		// There is the loopback at least, and a heading: an empty file says nothing.
		if (own.length > 0 && routes !== "")
			return {
				isLocal: localAddresses(fibTrie, ifInet6),
				networks: [...connectedIpv4(routes, own), ...parseConnected6(ifInet6)],
			};
	} catch (error) {
		if (!(error instanceof FileError)) throw error;
		why = error.message;
	}
	return (await askIp(platform)) ?? why;
}

async function askIp(platform: Platform): Promise<RouterAddresses | undefined> {
	const argv = ["ip", "-o", "addr", "show"] as const;
	const { status, stdout } = await runToEnd(platform, argv, { timeout: PATIENCE });
	const found = "code" in status && status.code === 0 ? parseAddresses(stdout) : [];
	// There is the loopback at least.
	if (found.length === 0) return undefined;
	const own = new Set(found.map(({ address }) => address.text));
	return {
		isLocal: (text) => {
			const address = parseAddress(text);
			return address !== undefined && (own.has(address.text) || isLoopback(address.bytes));
		},
		networks: found.flatMap(({ address, length, interface: device }) => networkOf(address, length, device)),
	};
}

/** 127.0.0.0/8 (RFC 1122, section 3.2.1.3). */
function isLoopback(bytes: readonly number[]): boolean {
	return bytes.length === 4 && bytes[0] === 127;
}
