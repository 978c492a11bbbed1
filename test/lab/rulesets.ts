import { readFileSync } from "node:fs";
import { defaultConfig } from "../../src/config/load.ts";
import { tableSpec } from "../../src/model/table.ts";
import { renderTable } from "../../src/system/nft/table-text.ts";
import { articleTable } from "./programs.ts";

/** What becomes of the speaker's connection to the router's port 179. */
export type Fate = "bgp" | "proxy" | "refused" | "timeout";

const ruleset = (name: string) =>
	readFileSync(new URL(`../fixtures/nft/rulesets/${name}.nft`, import.meta.url), "utf8");
const fw4 = ruleset("fw4");
const dropInvalid = fw4.replaceAll("related : accept }", "related : accept, invalid : drop }");
const strictLan = fw4.replace(
	/(chain input_lan \{\n)\t\tjump accept_from_lan\n/,
	'$1\t\ttcp dport { 22, 80 } accept\n\t\tudp dport 53 accept\n\t\tiifname "br-lan" counter jump handle_reject\n',
);
const masqueradingLan = fw4.replace(
	/(chain accept_to_lan \{\n)/,
	'$1\t\tmeta nfproto ipv4 oifname "br-lan" ct state invalid counter drop comment "!fw4: Prevent NAT leakage"\n',
);
const nikki = ruleset("nikki");
const nikkiTproxy = nikki.replace("iifname @lan_inbound_device jump lan_redirect", "");
const nikkiRedirect = nikki.replace(/iifname @lan_inbound_device meta l4proto vmap .*/, "");
const singBox = ruleset("sing-box");
const tailscale = ruleset("tailscale");
const { main } = defaultConfig();
const ours = renderTable(tableSpec(main, [], [179]));
/** Without the marks that proxies let pass. */
const unmarked = renderTable(tableSpec({ ...main, bypassMark: "keep", routeMark: "keep" }, [], [179]));

const chain = (hook: string, rules: string, { type = "filter", priority = "0", policy = "accept" } = {}) =>
	`chain c { type ${type} hook ${hook} priority ${priority}; policy ${policy};\n${rules}\n}`;
const table = (body: string, family = "inet", name = "t") => `table ${family} ${name} {\n${body}\n}\n`;
const redirect = chain("prerouting", "tcp dport 179 redirect to :7892", { type: "nat", priority: "dstnat" });
const tproxy = (match: string) =>
	chain("prerouting", `${match} tproxy to :7893 accept`, { priority: "mangle" });

/** Name, ruleset, fate; `6`: over IPv6; `unsure`: the ruleset alone does not tell. */
export const rulesetCases: readonly (readonly [string, string, Fate, (6 | "unsure")?])[] = [
	["nothing at all", "", "bgp"],
	["fw4 as it comes", fw4, "bgp"],
	["fw4 over IPv6", fw4, "bgp", 6],
	["fw4 and our table", fw4 + ours, "bgp"],
	["fw4 that drops invalid packets", dropInvalid, "bgp"],
	[
		"the same with the article's table, which hides only one direction",
		dropInvalid + articleTable,
		"timeout",
	],
	["the same with our table", dropInvalid + ours, "bgp"],
	["the same with our table over IPv6", dropInvalid + ours, "bgp", 6],
	["a masquerading lan zone with the article's table", masqueradingLan + articleTable, "timeout"],
	["a masquerading lan zone with the article's table over IPv6", masqueradingLan + articleTable, "bgp", 6],
	["a masquerading lan zone with our table", masqueradingLan + ours, "bgp"],
	["a lan zone that rejects BGP", strictLan, "refused"],
	["a lan zone that rejects BGP, and our table's accept", strictLan + ours, "refused"],
	[
		"fw4 whose policy is all there is",
		fw4.replace(/\t\t(iifname "br-lan" jump input_lan|jump handle_reject\n)/g, "\t\t# $1"),
		"timeout",
	],
	["Tailscale", fw4 + tailscale, "bgp"],
	[
		"Tailscale and a peer among its own addresses",
		tailscale.replaceAll("100.64.0.0/10", "192.168.1.0/24"),
		"timeout",
	],
	[
		"Tailscale's exception for one network",
		tailscale.replaceAll("100.64.0.0/10", "192.168.1.0/24").replaceAll("100.115.92.0/23", "192.168.1.2/31"),
		"bgp",
	],
	["a redirect", table(redirect), "proxy"],
	["a redirect, over IPv6", table(redirect), "proxy", 6],
	["a redirect for IPv4 alone, over IPv6", table(redirect, "ip"), "bgp", 6],
	["a redirect and our table", table(redirect) + ours, "bgp"],
	["a redirect and our table, made earlier", ours + table(redirect), "bgp"],
	[
		"a redirect whose chain names an early priority runs at NAT's own, behind a drop",
		table(
			`${redirect.replace("priority dstnat", "priority -190")}\n${chain("prerouting", "tcp dport 179 drop", { priority: "-120" }).replace("chain c", "chain d")}`,
		),
		"timeout",
	],
	[
		"and before what comes behind NAT",
		table(
			`${redirect.replace("priority dstnat", "priority 300")}\n${chain("prerouting", "tcp dport 179 drop", { priority: "-90" }).replace("chain c", "chain d")}`,
		),
		"proxy",
	],
	["a redirect in a table that is asleep", table(`flags dormant\n${redirect}`), "bgp"],
	["a redirect of another port", table(redirect.replace("179", "{ 80, 443, 1000-2000 }")), "bgp"],
	[
		"a redirect of all ports but a few",
		table(redirect.replace("tcp dport 179", "tcp dport != { 22, 53 }")),
		"proxy",
	],
	["a redirect of a range", table(redirect.replace("179", "1-1024")), "proxy"],
	[
		"a redirect behind a return for private addresses",
		table(redirect.replace("tcp dport", "ip daddr { 10.0.0.0/8, 192.168.0.0/16 } return\ntcp dport")),
		"bgp",
	],
	[
		"a redirect behind a return for what is local",
		table(redirect.replace("tcp dport", "fib daddr type local return\ntcp dport")),
		"bgp",
	],
	[
		"a redirect for another interface",
		table(redirect.replace("tcp dport", 'iifname "wg*" tcp dport')),
		"bgp",
	],
	["a redirect by a wildcard", table(redirect.replace("tcp dport", 'iifname "br-*" tcp dport')), "proxy"],
	[
		"a destination NAT to the proxy's port",
		table(redirect.replace("redirect to :7892", "dnat ip to 192.168.10.1:7892")),
		"proxy",
	],
	["nikki in tproxy mode", nikkiTproxy, "proxy"],
	["nikki in redirect mode", nikkiRedirect, "proxy"],
	["nikki in redirect mode and our table", nikkiRedirect + ours, "bgp"],
	["nikki and our table: tproxy needs no conntrack", nikki + ours, "proxy"],
	["nikki and our table over IPv6", nikki + ours, "proxy", 6],
	[
		"nikki that leaves private addresses alone",
		nikki.replace("10.0.0.0/8,", "10.0.0.0/8, 192.168.0.0/16,") + ours,
		"bgp",
	],
	["nikki for ports of the web", nikki.replace("tcp . 0-65535", "tcp . 80, tcp . 443") + ours, "bgp"],
	["nikki for another interface", nikki.replace('{ "br-lan" }', '{ "br-guest" }'), "bgp"],
	["tproxy in its plainest form", table(tproxy("meta l4proto tcp")), "proxy"],
	["tproxy behind a mark", table(tproxy("meta mark 0x1 meta l4proto tcp")), "bgp"],
	[
		"tproxy behind a mark that is set before",
		table(tproxy("meta mark & 0xff == 0x1 meta l4proto tcp")) +
			table(chain("prerouting", "tcp dport 1-500 meta mark set 0x101", { priority: "raw" }), "inet", "u"),
		"proxy",
	],
	["tproxy for transparent sockets", table(tproxy("socket transparent 1 meta l4proto tcp")), "bgp"],
	["sing-box's redirect", singBox, "proxy"],
	["sing-box's redirect and our table", singBox + ours, "bgp"],
	[
		"sing-box's early look, were it a drop",
		singBox.replace("0x2 counter", "0x2 counter drop") + unmarked,
		"timeout",
		"unsure",
	],
	[
		"the same, and our table with its bypass mark",
		singBox.replace("0x2 counter", "0x2 counter drop") + ours,
		"bgp",
	],
	[
		"a verdict map",
		table(`chain d { drop; }\n${chain("input", "tcp dport vmap { 22 : accept, 100-200 : jump d }")}`),
		"timeout",
	],
	[
		"a named verdict map",
		table(
			`map m { type inet_service : verdict; elements = { 179 : drop }; }\n${chain("input", "tcp dport vmap @m")}`,
		),
		"timeout",
	],
	[
		"a verdict map with another's port",
		table(
			`map m { type inet_service : verdict; elements = { 178 : drop }; }\n${chain("input", "tcp dport vmap @m")}`,
		),
		"bgp",
	],
	[
		"a verdict map that drops the rest",
		table(
			`chain d { drop; }\n${chain("input", "meta l4proto vmap { icmp : accept, icmpv6 : accept, * : goto d }")}`,
		),
		"timeout",
	],
	[
		"a named verdict map that drops the rest, and not BGP",
		table(
			`map m { type inet_service : verdict; elements = { 179 : accept, * : drop }; }\n${chain("input", "tcp dport vmap @m")}`,
		),
		"bgp",
	],
	[
		"a destination NAT by a map that does not have the port",
		table(
			redirect.replace("tcp dport 179 redirect to :7892", "dnat ip to tcp dport map { 80 : 192.168.10.7 }"),
		),
		"bgp",
	],
	[
		"a destination NAT by a map that has the port",
		table(
			redirect.replace(
				"tcp dport 179 redirect to :7892",
				"dnat ip to tcp dport map { 80 : 192.168.10.7, 179 : 192.168.10.1 } : 7892",
			),
		),
		"proxy",
	],
	[
		"a destination NAT by a named map",
		table(
			`map m { type inet_service : ipv4_addr; elements = { 80 : 192.168.10.7 }; }\n${redirect.replace("tcp dport 179 redirect to :7892", "dnat ip to tcp dport map @m")}`,
		),
		"bgp",
	],
	[
		"a destination NAT by chance, which always finds its way",
		table(
			redirect.replace(
				"tcp dport 179 redirect to :7892",
				"tcp dport 179 dnat ip to numgen random mod 2 map { 0 : 192.168.10.1, 1 : 192.168.10.1 } : 7892",
			),
		),
		"proxy",
	],
	[
		"a mark by a map that does not have the port, and a drop of that mark",
		table(
			chain("prerouting", "meta mark set tcp dport map { 80 : 0x1 }\nmeta mark 0x1 drop", {
				priority: "raw",
			}),
		),
		"bgp",
	],
	[
		"a rate for each source, over which is dropped",
		table(
			`set s { type ipv4_addr; size 128; flags dynamic; }\n${chain("input", "tcp dport 179 add @s { ip saddr limit rate over 10/minute burst 5 packets } drop")}`,
		),
		"bgp",
	],
	[
		"a number of connections for each source, over which is dropped",
		table(
			`set s { type ipv4_addr; size 128; flags dynamic; }\n${chain("input", "tcp dport 179 add @s { ip saddr ct count over 20 } drop")}`,
		),
		"bgp",
	],
	[
		"a device's own chain, before everything else",
		table(chain('ingress device "br-lan"', "tcp dport 179 drop"), "netdev") + ours,
		"timeout",
	],
	["another device's", table(chain('ingress device "lo"', "tcp dport 179 drop"), "netdev") + ours, "bgp"],
	[
		"a device's own chain in a table of both families",
		table(chain('ingress device "br-lan"', "ip saddr 192.168.1.0/24 meta l4proto tcp drop")) + ours,
		"timeout",
	],
	[
		"a device's last chain, which drops the answer",
		table(chain('egress device "br-lan"', "tcp sport 179 drop"), "netdev") + ours,
		"timeout",
	],
	[
		"return to the calling chain",
		table(`chain d { tcp dport 179 return\ndrop; }\n${chain("input", "jump d")}`),
		"bgp",
	],
	["goto does not come back", table(`chain d { }\n${chain("input", "tcp dport 179 goto d\ndrop")}`), "bgp"],
	[
		"goto ends in the policy",
		table(`chain d { }\n${chain("input", "tcp dport 179 goto d\naccept", { policy: "drop" })}`),
		"timeout",
	],
	[
		"a goto inside a jump goes on behind the jump",
		table(`chain e { }\nchain d { goto e; }\n${chain("input", "jump d\ntcp dport 179 drop")}`),
		"timeout",
	],
	[
		"accept ends one base chain only",
		table(chain("input", "accept"), "inet", "a") +
			table(chain("input", "tcp dport 179 drop", { priority: "10" }), "inet", "b"),
		"timeout",
	],
	["untracked is a state", ours + table(chain("input", "ct state untracked tcp dport 179 drop")), "timeout"],
	["without our table it is not", table(chain("input", "ct state untracked tcp dport 179 drop")), "bgp"],
	[
		"new is no state of what is not tracked",
		ours + table(chain("input", "ct state new tcp dport 179 drop")),
		"bgp",
	],
	[
		"nor is there a mark of its connection",
		ours + table(chain("input", "ct mark 0 tcp dport 179 drop\nct mark != 0 tcp dport 179 drop")),
		"bgp",
	],
	["a new connection has mark 0", table(chain("input", "ct mark 0 tcp dport 179 drop")), "timeout"],
	["no NAT was done to it", table(chain("input", "ct status dnat tcp dport 179 drop")), "bgp"],
	[
		"established, not new, is the answer",
		table(chain("output", "ct state established tcp sport 179 drop")),
		"timeout",
	],
	[
		"invalid is the answer to what is hidden",
		articleTable + table(chain("output", "ct state invalid tcp sport 179 drop")),
		"timeout",
	],
	[
		"a notrack that comes too late",
		table(chain("prerouting", "tcp dport 179 notrack", { priority: "-150" }), "inet", "u") + table(redirect),
		"proxy",
	],
	[
		"the younger of two chains at one priority runs first",
		table(chain("prerouting", "tcp dport 179 meta mark set 1"), "inet", "a") +
			table(chain("prerouting", "meta mark 0 tcp dport 179 drop"), "inet", "b"),
		"timeout",
	],
	[
		"the older of two chains comes second",
		table(chain("prerouting", "meta mark 0 tcp dport 179 drop"), "inet", "a") +
			table(chain("prerouting", "tcp dport 179 meta mark set 1"), "inet", "b"),
		"bgp",
	],
	["flags: exactly SYN", table(chain("input", "tcp dport 179 tcp flags == syn drop")), "timeout"],
	[
		"flags: SYN with ACK is another packet",
		table(chain("input", "tcp dport 179 tcp flags & (syn|ack) == syn|ack drop")),
		"bgp",
	],
	[
		"flags of the answer",
		table(chain("output", "tcp flags & (syn|ack) == syn|ack tcp sport 179 drop")),
		"timeout",
	],
	[
		"a set of addresses and ports",
		table(
			`set s { type ipv4_addr . inet_service; flags interval; elements = { 192.168.1.0/24 . 100-200 }; }\n${chain("input", "ip saddr . tcp dport @s drop")}`,
		),
		"timeout",
	],
	[
		"its ranges end somewhere",
		table(
			`set s { type ipv4_addr . inet_service; flags interval; elements = { 192.168.1.0/24 . 180-200, 192.168.2.0/24 . 179 }; }\n${chain("input", "ip saddr . tcp dport @s drop")}`,
		),
		"bgp",
	],
	["an IPv6 prefix", table(chain("input", "ip6 saddr fd00:1::/64 tcp dport 179 drop")), "timeout", 6],
	[
		"another IPv6 prefix",
		table(chain("input", "ip6 saddr fd00:2::/64 tcp dport 179 drop\nip saddr != 1.2.3.4 tcp dport 179 drop")),
		"bgp",
		6,
	],
	["the ports of clients", table(chain("input", "tcp sport < 1024 tcp dport 179 drop")), "bgp"],
	[
		"an owner is nobody's before a connection",
		table(chain("input", "tcp flags & (syn|ack) == syn meta skuid != 12345 tcp dport 179 drop")),
		"bgp",
	],
	[
		"the answer has the listener's",
		table(chain("output", "tcp flags & (syn|ack) == syn|ack meta skuid != 12345 tcp sport 179 drop")),
		"timeout",
		"unsure",
	],
	[
		"a limit lets the first through",
		table(chain("input", "tcp dport 179 limit rate 10/second accept\ntcp dport 179 drop")),
		"bgp",
	],
	["and nothing is over it", table(chain("input", "tcp dport 179 limit rate over 10/second drop")), "bgp"],
	[
		"a packet of the router's came by no interface",
		table(chain("output", 'iifname "br-lan" tcp sport 179 drop')),
		"bgp",
	],
	["postrouting belongs to the answer's way", table(chain("postrouting", "tcp sport 179 drop")), "timeout"],
	["forwarding does not", table(chain("forward", "drop")), "bgp"],
	[
		"a name of a priority with an offset",
		table(chain("input", "tcp dport 179 drop", { priority: "filter + 10" })),
		"timeout",
	],
];

/**
 * A ruleset as long as those of routers with many port forwards, blocked addresses and parental controls; none of its rules
 * is about BGP from the speaker, but nearly all are looked at.
 */
export function manyRules(count: number): string {
	const rules = Array.from({ length: count }, (_, index) => {
		const address = `10.${(index >> 8) & 255}.${index & 255}.7`;
		const kinds = [
			`ip saddr ${address} tcp dport { 80, 443, ${1000 + index} } counter drop comment "!fw4: Block ${index}"`,
			`iifname "br-guest" ip daddr ${address}/32 udp dport ${2000 + index} counter accept comment "!fw4: Allow ${index}"`,
			`meta nfproto ipv4 tcp dport ${3000 + index} ip saddr 172.16.0.0/12 counter jump refused comment "!fw4: Refuse ${index}"`,
			`ct state new meta l4proto { tcp, udp } th dport ${4000 + index}-${4010 + index} limit rate 10/second burst 5 packets counter return`,
		];
		return `\t\t${kinds[index % kinds.length]}`;
	});
	const half = Math.floor(count / 2);
	return `table inet many {
	chain refused {
		reject with tcp reset
	}
	chain input {
		type filter hook input priority filter + 5; policy accept;
${rules.slice(0, half).join("\n")}
	}
	chain prerouting {
		type filter hook prerouting priority mangle; policy accept;
${rules.slice(half).join("\n").replaceAll("jump refused", "drop")}
	}
}
`;
}
