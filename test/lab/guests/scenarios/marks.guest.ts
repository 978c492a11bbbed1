import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Mark } from "../../../../src/model/config.ts";
import { tableSpec } from "../../../../src/model/table.ts";
import { renderTable } from "../../../../src/system/nft/table-text.ts";
import type { Lab } from "../../lab.ts";
import { fw4Table, startBird } from "../../programs.ts";
import { birdConfig, sessions } from "../addresses.ts";
import { Mihomo } from "../mihomo.ts";
import { Procd } from "../procd.ts";
import { type Ruleset, rulesets, tproxyPort } from "../rulesets.ts";
import { startNetwork } from "../world.ts";

/**
 * What notrack alone does not stop. The speaker is a program that dials the router's BGP port and waits for what BIRD
 * says first, an OPEN message, and that answers to whoever dials it: so each way is a question with one answer.
 */
let lab: Lab;
let procd: Procd;
beforeAll(async () => {
	lab = await startNetwork();
	procd = await Procd.start(lab.router);
	await startBird(lab.router, birdConfig({ passive: true }));
	const listener = lab.speaker.start(["python3", "-c", answering], { name: "speaker" });
	await listener.says(/^ready$/);
	const bfd = lab.speaker.start(["python3", "-c", receiving], { name: "bfd" });
	await bfd.says(/^ready$/);
});
afterAll(() => lab.stop());

const answering = `
import socket
s = socket.create_server(("::", 179), family=socket.AF_INET6, dualstack_ipv6=True)
print("ready", flush=True)
while True:
    c, peer = s.accept()
    c.sendall(b"\\xff" * 16 + str(peer[1]).encode())
    c.close()
`;
const receiving = `
import socket
s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
s.bind(("::", 4784))
print("ready", flush=True)
while True:
    data, peer = s.recvfrom(100)
    s.sendto(str(peer[1]).encode(), peer)
`;
/**
 * Says `bgp` when it got BIRD's OPEN message (RFC 4271 section 4.1: a marker of ones, then length and type 1), or an answer
 * to its own port: a proxy in between has another one.
 */
const dialling = (from: string, to: string) => `
import socket
try:
    s = socket.create_connection(("${to}", 179), 1.5, ("${from}", 0))
    s.settimeout(1.5)
    data = s.recv(100)
    own = str(s.getsockname()[1]).encode()
    print("bgp" if data[:16] == b"\\xff" * 16 and (data[16:] == own or data[18:19] == b"\\x01") else "nobody")
except OSError as error:
    print("nobody")
`;
const asking = (from: string, to: string) => `
import socket
s = socket.socket(socket.AF_INET6 if ":" in "${to}" else socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("${from}", 49152))
s.settimeout(1)
s.sendto(b"bfd", ("${to}", 4784))
try:
    print("bfd" if s.recv(10) == b"49152" else "nobody")
except OSError as error:
    print("nobody")
`;

async function answer(host: Lab["router"], program: string): Promise<string> {
	return (await host.run(["python3", "-c", program])).stdout.trim();
}

/** Whether BGP gets through from the speaker, from the router, and BFD from the router; by session. */
async function through() {
	const ways = await Promise.all(
		sessions.map(async ({ name, router, speaker }) => {
			const [dialled, dials, bfd] = await Promise.all([
				answer(lab.speaker, dialling(speaker, router)),
				answer(lab.router, dialling(router, speaker)),
				answer(lab.router, asking(router, speaker)),
			]);
			return [
				name,
				[dialled === "bgp" ? "in" : "", dials === "bgp" ? "out" : "", bfd === "bfd" ? "bfd" : ""]
					.filter(Boolean)
					.join(" "),
			] as const;
		}),
	);
	return Object.fromEntries(ways);
}

const free = "in out bfd";
const everything = { lan4: free, lan6: free, public4: free, public6: free };

async function tableWith(bypassMark: Mark, routeMark: Mark): Promise<void> {
	const options = { table: "custom_bgp", scope: "any", forwarded: false, bypassMark, routeMark } as const;
	await lab.router.nft(renderTable(tableSpec(options, [], [179])));
}

function rulesOf(name: string): Ruleset {
	const rules = rulesets.find((candidate) => candidate.name === name);
	if (!rules) throw new Error(`there are no rules ${name}`);
	return rules;
}

describe.each([
	// Without conntrack nikki cannot tell BIRD's answers from the router's own connections.
	{ name: "nikki (tcp tproxy, udp tproxy)", mark: 0x2024, marked: { public4: "", public6: "" } },
	{ name: "nikki (tcp tun, udp tun)", mark: 0x2024, marked: { public4: "", public6: "" } },
	{ name: "OpenClash (TUN)", mark: 0x2024, marked: { public4: "", public6: "" } },
	{ name: "homeproxy (TUN)", mark: 0x2024, marked: { public4: "", public6: "" } },
	// Redirected TCP is what notrack stops; BFD is marked all the same.
	{ name: "nikki (tcp redirect, udp tun)", mark: 0x2024, marked: { public4: "in out", public6: "in out" } },
	{
		name: "sing-box (auto_redirect with marks)",
		mark: 0x2024,
		marked: { public4: "in out", public6: "in out" },
	},
	// SSClash takes what comes in, for addresses of IPv4.
	{ name: "SSClash (tproxy)", mark: 0x2024, marked: { public4: "out bfd" } },
])("the rules of $name", ({ name, mark, marked }) => {
	let guest: Mihomo;
	beforeAll(async () => {
		await lab.router.nft(`flush ruleset\n${fw4Table}`);
		guest = new Mihomo(lab, procd, rulesOf(name));
		await guest.start();
	});
	afterAll(() => guest.stop());

	test("break BGP or BFD with public addresses when nobody marks its packets", async () => {
		await tableWith("keep", "keep");
		expect(await through()).toEqual({ ...everything, ...marked });
	});

	test("leave it alone with the marks", async () => {
		await tableWith(mark, 0);
		expect(await through()).toEqual(everything);
		await guest.works();
	});
});

describe("rules that take everything, with no mark that they let through", () => {
	const greedy = (bypass: string) => `table inet greedy {
	chain pre {
		type filter hook prerouting priority mangle; policy accept;
		${bypass}
		iifname "br-lan" meta l4proto { tcp, udp } tproxy to :${tproxyPort} meta mark set 0x1 accept
	}
}
`;
	let guest: Mihomo;
	beforeAll(async () => {
		await lab.router.nft("flush ruleset");
		guest = new Mihomo(lab, procd, { ...rulesOf("SSClash (tproxy)"), table: "" });
		await guest.start();
	});
	afterAll(() => guest.stop());

	test("catch what comes in, and nothing in the table can stop them", async () => {
		await lab.router.nft(`flush ruleset\n${greedy("")}`);
		await tableWith(0x2024, 0);
		const seen = await through();
		for (const way of Object.values(seen)) expect(way).not.toContain("in");
	});

	test("let it through with a rule for the mark, as for any that a proxy has", async () => {
		await lab.router.nft(`flush ruleset\n${greedy("meta mark 0x2024 return")}`);
		await tableWith(0x2024, 0);
		expect(await through()).toEqual(everything);
	});
});

test("a queue for first packets whose program is gone: BGP passes it by its mark", async () => {
	await lab.router.nft("flush ruleset");
	// sing-tun's prematch queues each SYN but those with its mark; nft's own queue is not in every kernel.
	for (const program of ["iptables-nft", "ip6tables-nft"]) {
		for (const chain of ["PREROUTING", "OUTPUT"]) {
			const match = ["-p", "tcp", "--syn", "-m", "mark", "!", "--mark", "0x2024"];
			const queue = ["-j", "NFQUEUE", "--queue-num", "100"];
			await lab.router.run([program, "-t", "mangle", "-A", chain, ...match, ...queue]);
		}
	}
	await tableWith("keep", "keep");
	expect(await through()).toEqual({ lan4: "bfd", lan6: "bfd", public4: "bfd", public6: "bfd" });
	await tableWith(0x2024, 0);
	expect(await through()).toEqual(everything);
});

test("routes accepted from Tailscale do not take BGP away with the main table's mark", async () => {
	await lab.router.nft("flush ruleset");
	// What `tailscale up --accept-routes` does when a node advertises the LAN's own subnet
	const undo: (() => Promise<unknown>)[] = [];
	const ip = (...words: string[]) => lab.router.run(["ip", ...words]);
	await ip("link", "add", "tailscale0", "type", "veth");
	await ip("link", "set", "tailscale0", "up");
	await ip("rule", "add", "pref", "5210", "fwmark", "0x80000/0xff0000", "lookup", "main");
	await ip("rule", "add", "pref", "5270", "lookup", "52");
	await ip("route", "add", "192.168.1.0/24", "dev", "tailscale0", "table", "52");
	undo.push(
		() => ip("link", "del", "tailscale0"),
		() => ip("rule", "del", "pref", "5210"),
		() => ip("rule", "del", "pref", "5270"),
	);
	try {
		await tableWith(0x2024, 0);
		expect((await through()).lan4).toBe("");
		await tableWith(0x2024, 0x80000);
		expect(await through()).toEqual(everything);
	} finally {
		for (const step of undo) await step();
	}
});
