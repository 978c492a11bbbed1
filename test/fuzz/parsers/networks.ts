/** Which addresses are this router's, and which networks. */

import { parseAddress } from "../../../src/lib/address.ts";
import type { ConnectedNetwork } from "../../../src/model/inspection.ts";
import { localAddresses, ownIpv4 } from "../../../src/system/kernel/local-addresses.ts";
import {
	connectedIpv4,
	connectedNetwork,
	hostIn,
	parseConnected6,
} from "../../../src/system/kernel/networks.ts";
import { captures } from "../captures.ts";
import { type Parser, parser } from "../parser.ts";
import * as is from "../values.ts";

const FIB_TRIE = "Local:\n     |-- 192.168.1.1\n        /32 host LOCAL\n";
const ROUTES = "br-lan\t0001A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n";
const IF_INET6 = "fd000001000000000000000000000001 02 40 00 82   br-lan\n";
const router = {
	isLocal: localAddresses(FIB_TRIE, IF_INET6),
	networks: [...connectedIpv4(ROUTES, ownIpv4(FIB_TRIE)), ...parseConnected6(IF_INET6)],
};
const [TRIE = ""] = captures("proc", /fib_trie\.txt$/);
const LOCAL_LEAVES = TRIE.split(/^(?= *\+--)/m);
const LEAF = "     |-- 192.168.1.1\n        /32 host LOCAL\n";

const host = is.shape<{ address: string; interface?: string }>({
	address: is.address,
	interface: is.maybe(is.device),
});
const network = is.shape<ConnectedNetwork>({ prefix: is.prefix, interface: is.device });

export const NETWORKS: readonly Parser[] = [
	parser({
		name: "hostIn",
		seeds: ["10.0.0.0/8", "fd00:1::/64", "0.0.0.0/0", "192.168.1.0/24", "192.168.1.2/31", "fe80::/64"],
		parse: (text) => hostIn(router, text),
		check: is.orAbsent(host),
		limit: 65_536,
	}),
	parser({
		name: "connectedNetwork",
		seeds: ["192.168.1.2", "fd00:1::2", "fe80::1%br-lan", "10.255.0.1"],
		parse: (text) => {
			const address = parseAddress(text);
			return address && connectedNetwork(router.networks, address, address.zone);
		},
		check: is.orAbsent(is.either(network, is.oneOf("none"))),
		limit: 65_536,
	}),
	parser({
		name: "ownIpv4",
		seeds: [...LOCAL_LEAVES, LEAF],
		parse: ownIpv4,
		check: is.list(is.list(is.byte, 4)),
		limit: 1 << 18,
		shapes: [
			LEAF,
			"|-- 1.1.1.1\n",
			"|-- 1.1.1.1\n /32 host LOCAL\n",
			" /32 host LOCAL\n",
			{ start: "|-- 1.1.1.1\n", repeated: " /32 a\n" },
		],
	}),
	parser({
		name: "localAddresses",
		seeds: [...LOCAL_LEAVES.slice(0, 20), "fd000001000000000000000000000001 02 40 00 82   br-lan\n"],
		parse: (text) => {
			const isLocal = localAddresses(text, text);
			return ["192.168.1.1", "fd00:1::1", "", "x", "__proto__"].map(isLocal);
		},
		check: is.list(is.flag),
		limit: 1 << 18,
		shapes: [LEAF, "|-- 1.1.1.1\n /31 host LOCAL\n", "fd000001000000000000000000000001 \n"],
	}),
];
