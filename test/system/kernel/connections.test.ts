import { expect, test } from "vitest";
import { connectionsHere } from "../../../src/system/kernel/connections.ts";
import { FakeFiles } from "../../fakes/files.ts";

const HEAD =
	"  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";
const REST = "01 00000000:00000000 02:00000A5B 00000000     0        0 5001 2 0 20 4 30 10 -1";
/** 192.168.1.1:179 and 192.168.1.2:40001; the same mapped; fd00:1::1:179 and fd00:1::2:40002 */
const FOUR = `   0: 0101A8C0:00B3 0201A8C0:9C41 ${REST}\n`;
const MAPPED = `   0: 0000000000000000FFFF00000101A8C0:00B3 0000000000000000FFFF00000201A8C0:9C41 ${REST}\n`;
const SIX = `   1: 010000FD000000000000000001000000:00B3 010000FD000000000000000002000000:9C42 ${REST}\n`;

const four = { localAddress: "192.168.1.1", localPort: 179, peerAddress: "192.168.1.2", peerPort: 40001 };
const six = { localAddress: "fd00:1::1", localPort: 179, peerAddress: "fd00:1::2", peerPort: 40002 };

function router(tcp: string, tcp6?: string): FakeFiles {
	const files = new FakeFiles(() => 0);
	files.set("/proc/net/tcp", HEAD + tcp);
	if (tcp6 !== undefined) files.set("/proc/net/tcp6", HEAD + tcp6);
	return files;
}

test("sockets are found by their four values, of either family", () => {
	expect(connectionsHere(router(FOUR, SIX), [four, six])).toEqual(new Set([four, six]));
	expect(connectionsHere(router("", MAPPED), [four])).toEqual(new Set([four]));
	const others = [
		{ ...four, peerPort: 40002 },
		{ ...four, localPort: 1790 },
		{ ...four, peerAddress: "192.168.1.3" },
	];
	expect(connectionsHere(router(FOUR, SIX), others)).toEqual(new Set());
});

test("a kernel without IPv6 has no tcp6; one that does not tell at all is no answer", () => {
	expect(connectionsHere(router(FOUR), [four, six])).toEqual(new Set([four]));
	expect(connectionsHere(new FakeFiles(() => 0), [four])).toBeUndefined();
});
