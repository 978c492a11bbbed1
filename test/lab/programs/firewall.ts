import type { Host } from "../host.ts";
import type { Process, RunResult } from "../process.ts";

/** Where the proxy listens; Mihomo's redirect port. */
const proxyPort = 7892;

/** A proxy's NAT rule that catches BGP with everything else. */
export const proxyTable = `table inet proxy {
	chain pre {
		type nat hook prerouting priority dstnat; policy accept;
		tcp dport 179 redirect to :${proxyPort}
	}
}
`;

/**
 * What matters of OpenWrt's fw4: it tracks connections, and drops what conntrack calls invalid on the way in and out
 * (as with `drop_invalid`, or in a masquerading zone).
 */
export const fw4Table = `table inet fw4 {
	chain input {
		type filter hook input priority filter; policy accept;
		ct state invalid counter drop
		ct state established,related accept
		iifname "lo" accept
	}
	chain forward {
		type filter hook forward priority filter; policy accept;
		ct state established,related accept
	}
	chain output {
		type filter hook output priority filter; policy accept;
		ct state invalid counter drop
		ct state established,related accept
		oifname "lo" accept
	}
}
`;

/** The article's own table, to the letter. */
export const articleTable = `table inet custom_bgp {
    chain raw_pre {
        type filter hook prerouting priority raw; policy accept;
        tcp dport 179 notrack
        tcp sport 179 notrack
        udp dport 3784 notrack  # BFD
    }
    chain filter_input {
        type filter hook input priority filter; policy accept;
        tcp dport 179 accept
        udp dport 3784 accept
    }
}
`;

const listener = `
import socket
server = socket.socket(socket.AF_INET6)
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind(("::", ${proxyPort}))
server.listen()
print("listening", flush=True)
held = []
while True:
    connection, peer = server.accept()
    held.append(connection)
    print("caught", peer[0], flush=True)
`;

/** Installs the proxy's NAT rule and starts what answers behind it: it takes every connection and says nothing. */
export async function startProxy(host: Host): Promise<Process> {
	const proxy = host.start(["python3", "-c", listener], { name: "proxy" });
	await proxy.says(/^listening$/);
	await host.nft(proxyTable);
	return proxy;
}

/** What `fw4 restart` does to the ruleset: its own table goes and comes back, in one transaction. */
export async function fw4Restart(host: Host): Promise<void> {
	await host.nft(`table inet fw4 {}\ndelete table inet fw4\n${fw4Table}`);
}

/** What `fw4 flush` (run by `/etc/init.d/firewall stop`) does: every table, one by one, whatever becomes of each. */
export async function fw4Flush(host: Host): Promise<void> {
	const { stdout } = await host.run(["nft", "list", "tables"]);
	for (const line of stdout.split("\n").filter((line) => line.startsWith("table "))) {
		await host.run(["nft", "delete", ...line.split(" ")], { allowFailure: true });
	}
}

/** A folder of files that fw4 loads at the end of its transaction. */
export const fw4Files = "/usr/share/nftables.d/ruleset-post";

/**
 * What `fw4 start` does: it notes that it was started, and loads its ruleset and the files of others in one transaction. If that
 * fails, the note stays (firewall4, fw4.uc and root/sbin/fw4).
 */
export function fw4Start(host: Host): Promise<RunResult> {
	host.write("/run/fw4.state", "{}\n");
	const stdin = `table inet fw4\nflush table inet fw4\n${fw4Table}include "${fw4Files}/*.nft"\n`;
	return host.run(["nft", "-f", "-"], { stdin, allowFailure: true });
}

/** What `/etc/init.d/firewall stop` does. */
export async function fw4Stop(host: Host): Promise<void> {
	await fw4Flush(host);
	await host.run(["rm", "-f", "/run/fw4.state"]);
}

/** The conntrack entries of BGP and BFD on a host, one line each, as `conntrack -L` prints them. */
export async function trackedBgp(host: Host): Promise<string[]> {
	const { stdout } = await host.run(["conntrack", "-L"]);
	return stdout.split("\n").filter((line) => / [sd]port=(179|3784|3785|4784)\b/.test(line));
}
