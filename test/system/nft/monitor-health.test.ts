import { expect, test } from "vitest";
import { healthOf } from "../../../src/system/nft/monitor-health.ts";
import { FakeFiles } from "../../fakes/files.ts";

/** Linux 6.18. */
const NETLINK = `sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    Drops    Inode
0000000000000000 0   701        00000111 0        0        0     2        0        10231
0000000000000000 12  4712       00000000 512      0        0     2        0        20000
0000000000000000 12  4711       00000040 ROOM     0        0     2        0        20001
0000000000000000 16  4711       00000000 9999     0        0     2        0        20002
`;

function router(state: string, waiting: number): FakeFiles {
	const files = new FakeFiles(() => 0);
	files.set("/proc/4711/stat", `4711 (nft) x) ${state} 1 4711 4711 0 -1 4194560`);
	files.set("/proc/net/netlink", NETLINK.replace("ROOM", String(waiting).padEnd(4)));
	return files;
}

test.each([
	["sleeps, and nothing waits for it", "S", 0, "well"],
	["runs", "R", 0, "well"],
	["has messages to read", "S", 768, "behind"],
	["is stopped", "T", 0, "stopped"],
	["is stopped by a debugger", "t", 0, "stopped"],
	["has ended, and nobody has noticed", "Z", 0, "stopped"],
])("a monitor that %s", (_, state, waiting, health) => {
	expect(healthOf(router(state, waiting), 4711)).toBe(health);
});

test("nothing is said against a monitor where /proc does not tell", () => {
	expect(healthOf(new FakeFiles(() => 0), 4711)).toBe("well");
	const files = router("S", 768);
	files.set("/proc/net/netlink", "garbage\n");
	files.fail("/proc/4711/stat", "Permission denied");
	expect(healthOf(files, 4711)).toBe("well");
});
