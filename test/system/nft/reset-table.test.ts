import { expect, test } from "vitest";
import { renderResetTable } from "../../../src/system/nft/reset-table.ts";

const four = {
	localAddress: "192.168.1.1",
	localPort: 179,
	peerAddress: "192.168.1.2",
	peerPort: 40001,
};
const six = { localAddress: "fe80::1", localPort: 1790, peerAddress: "fe80::2", peerPort: 40002 };

test("the table of a reset changes SYNs to the peers' ends alone, and goes with its owner", () => {
	expect(renderResetTable("t", [four, six], { bypassMark: 0x2024, routeMark: "keep" })).toBe(`table inet t {
	flags owner;
	chain past {
		type filter hook output priority -450; policy accept;
		ip daddr 192.168.1.2 tcp dport 40001 tcp flags & (fin|syn|rst|ack) == syn meta mark set 8228
		ip6 daddr fe80::2 tcp dport 40002 tcp flags & (fin|syn|rst|ack) == syn meta mark set 8228
	}
	chain source {
		type nat hook postrouting priority 90; policy accept;
		ip daddr 192.168.1.2 tcp dport 40001 tcp flags & (fin|syn|rst|ack) == syn snat ip to 192.168.1.1:179
		ip6 daddr fe80::2 tcp dport 40002 tcp flags & (fin|syn|rst|ack) == syn snat ip6 to [fe80::1]:1790
	}
}
`);
});

test("its SYNs are routed as the configuration says", () => {
	expect(renderResetTable("t", [four], { bypassMark: "keep", routeMark: 0 })).toContain(`	chain way {
		type route hook output priority -90; policy accept;
		ip daddr 192.168.1.2 tcp dport 40001 tcp flags & (fin|syn|rst|ack) == syn meta mark set 0
	}`);
});
