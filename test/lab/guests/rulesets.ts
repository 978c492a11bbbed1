/**
 * What OpenWrt's packages around Mihomo and sing-box put into nftables and into the routing rules, as far as it decides
 * what becomes of BGP and BFD: tables, hooks, priorities, marks, verdicts and what is let through. Written from the
 * packages' own files: nikki (files/ucode/hijack.ut, nikki.init), OpenClash (init.d/openclash, set_firewall), SSClash
 * (bin/clash-rules), homeproxy (scripts/firewall_post.ut), sing-tun (redirect_nftables.go, tun_linux.go).
 */

export const redirectPort = 7891;
export const tproxyPort = 7892;
export const tunDevice = "Meta";

export interface Ruleset {
	readonly name: string;
	/** The package's script in /etc/init.d, and its START. */
	readonly service: string;
	readonly order: number;
	readonly mihomo: {
		/** Mark of Mihomo's own packets, by which the rules know them. */
		readonly mark?: number;
		/** Options of its TUN device, if it has one. */
		readonly tun?: string;
	};
	/** nftables text; absent when Mihomo makes its rules itself. */
	readonly table?: string;
	/** Commands before it, for routing rules, and those that take everything away. */
	readonly up?: readonly string[];
	readonly down?: readonly string[];
}

/** Addresses that the packages never take for the internet's. */
const private4 =
	"0.0.0.0/8, 10.0.0.0/8, 100.64.0.0/10, 127.0.0.0/8, 169.254.0.0/16, 172.16.0.0/12, 192.168.0.0/16, 224.0.0.0/4, 240.0.0.0/4";
const private6 = "::1/128, fc00::/7, fe80::/10, ff00::/8";
const plainTun = "stack: system, auto-route: false";

/** Policy routing by mark: to the router itself, as tproxy needs it, or into the TUN device. */
function policy(mark: string, preference: number, table: number, route: "local" | "tun") {
	const target = route === "local" ? "local default dev lo" : `default dev ${tunDevice}`;
	return {
		up: ["-4", "-6"].flatMap((family) => [
			`ip ${family} route replace ${target} table ${table}`,
			`ip ${family} rule add pref ${preference} fwmark ${mark} table ${table}`,
		]),
		down: ["-4", "-6"].flatMap((family) => [
			`ip ${family} rule del pref ${preference}`,
			`ip ${family} route flush table ${table}`,
		]),
	};
}

function both(...parts: { readonly up: readonly string[]; readonly down: readonly string[] }[]) {
	return { up: parts.flatMap(({ up }) => up), down: parts.flatMap(({ down }) => down) };
}

/** nikki's table. By default it redirects TCP and takes UDP into the TUN device, of the LAN and of the router itself. */
function nikki(tcp: "redirect" | "tproxy" | "tun", udp: "tproxy" | "tun"): Ruleset {
	const passes = (nat: boolean) => `
		fib daddr type { local, broadcast, anycast, multicast } return
		ct direction reply return
		ip daddr { ${private4} } return
		ip6 daddr { ${private6} } return
		${nat ? "" : "meta mark 0x1a0a return"}`;
	const marks = (way: "lan" | "router") => {
		const mark = (mode: string) =>
			mode === "tun"
				? "meta mark set meta mark & 0xffffff00 | 0x81 accept"
				: `meta mark set meta mark & 0xffffff00 | 0x80 ${way === "lan" ? `tproxy to :${tproxyPort} ` : ""}accept`;
		const from = way === "lan" ? 'iifname "br-lan" ' : "";
		return `${tcp === "redirect" ? "" : `${from}meta l4proto tcp ${mark(tcp)}`}
		${from}meta l4proto udp ${mark(udp)}`;
	};
	const redirect = (from: string) =>
		tcp === "redirect" ? `${from}meta l4proto tcp redirect to :${redirectPort}` : "";
	const routes = both(policy("0x80/0xff", 1024, 80, "local"), policy("0x81/0xff", 1025, 81, "tun"));
	return {
		name: `nikki (tcp ${tcp}, udp ${udp})`,
		service: "nikki",
		order: 99,
		mihomo: { mark: 0x1a0a, tun: plainTun },
		...routes,
		down: [...routes.down, "nft delete table inet nikki"],
		table: `table inet nikki {
	chain nat_output {
		type nat hook output priority filter; policy accept;
		meta mark 0x1a0a return${passes(true)}
		${redirect("")}
	}
	chain mangle_output {
		type route hook output priority mangle; policy accept;
		meta mark 0x1a0a return${passes(false)}
		${marks("router")}
	}
	chain mangle_prerouting_router {
		type filter hook prerouting priority mangle - 1; policy accept;
		iifname "lo" meta l4proto { tcp, udp } meta mark & 0xff == 0x80 tproxy to :${tproxyPort} accept
		iifname "${tunDevice}" meta l4proto { icmp, tcp, udp } accept
	}
	chain dstnat {
		type nat hook prerouting priority dstnat + 1; policy accept;${passes(true)}
		${redirect('iifname "br-lan" ')}
	}
	chain mangle_prerouting_lan {
		type filter hook prerouting priority mangle; policy accept;${passes(false)}
		${marks("lan")}
	}
}
`,
	};
}

/** SSClash marks first (priority -150) and hands over to the proxy later (-100); root's own connections pass. */
const ssclash: Ruleset = {
	name: "SSClash (tproxy)",
	service: "clash",
	order: 21,
	mihomo: { mark: 2 },
	...both(policy("0x1", 1000, 100, "local")),
	down: [...policy("0x1", 1000, 100, "local").down, "nft delete table inet clash"],
	table: `table inet clash {
	chain mangle {
		type filter hook prerouting priority -150; policy accept;
		ct status dnat return
		jump CLASH_MARK
	}
	chain CLASH_MARK {
		meta mark 0x2 return
		meta mark & 0xff00 != 0 return
		ip daddr { ${private4} } return
		tcp dport { 7890-7894 } return
		meta l4proto { tcp, udp } meta mark set 0x1
	}
	chain proxy {
		type filter hook prerouting priority -100; policy accept;
		meta mark 0x1 meta l4proto { tcp, udp } tproxy ip to 127.0.0.1:${tproxyPort}
	}
	chain output {
		type route hook output priority mangle; policy accept;
		meta skuid 0 return
		meta mark 0x2 return
		ip daddr { ${private4} } return
		meta mark 0 meta l4proto { tcp, udp } meta mark set 0x1
	}
}
`,
};

/** The chains that fw4 has for its includes, where OpenClash and homeproxy hang their rules. */
function inFw4(chains: {
	dstnat?: string;
	mangle_prerouting?: string;
	mangle_output?: string;
	output?: string;
}): string {
	const types: Readonly<Record<string, string>> = {
		dstnat: "nat hook prerouting priority dstnat",
		mangle_prerouting: "filter hook prerouting priority mangle",
		mangle_output: "route hook output priority mangle",
		output: "nat hook output priority -105",
	};
	const text = Object.entries(chains).map(
		([name, rules]) => `	chain guest_${name} {\n\t\ttype ${types[name]}; policy accept;\n${rules}\n\t}\n`,
	);
	return `table inet fw4 {\n${text.join("")}}\n`;
}

const leaveFw4 = ["dstnat", "mangle_prerouting", "mangle_output", "output"].map(
	(name) => `nft delete chain inet fw4 guest_${name}`,
);

/** OpenClash without TUN: TCP is redirected, UDP handed over in place; IPv6 TCP in place too. It knows the LAN's prefixes. */
const openclash: Ruleset = {
	name: "OpenClash (redirect, UDP by tproxy)",
	service: "openclash",
	order: 99,
	mihomo: { mark: 0x1a0a },
	...both(policy("0x162", 1888, 354, "local")),
	down: [...policy("0x162", 1888, 354, "local").down, ...leaveFw4],
	table: inFw4({
		dstnat: `		ip daddr { ${private4}, 45.0.0.0/24 } return
		ct direction reply return
		ip protocol tcp redirect to :${redirectPort}`,
		output: `		meta mark 0x1a0a return
		ip daddr { ${private4}, 45.0.0.0/24 } return
		ct direction reply return
		ip protocol tcp redirect to :${redirectPort}`,
		mangle_prerouting: `		ip daddr { ${private4}, 45.0.0.0/24 } return
		ip6 daddr { ${private6}, 2a00:45::/64 } return
		ct direction reply return
		meta nfproto ipv4 meta l4proto udp meta mark set 0x162 tproxy ip to 127.0.0.1:${tproxyPort} accept
		meta nfproto ipv6 meta l4proto { tcp, udp } meta mark set 0x162 tproxy ip6 to :${tproxyPort} accept`,
	}),
};

/** OpenClash with TUN: marks alone, for the LAN and for the router's own connections. */
const openclashTun: Ruleset = {
	name: "OpenClash (TUN)",
	service: "openclash",
	order: 99,
	mihomo: { mark: 0x1a0a, tun: plainTun },
	...both(policy("0x162", 1888, 354, "tun")),
	down: [...policy("0x162", 1888, 354, "tun").down, ...leaveFw4],
	table: inFw4({
		mangle_prerouting: `		iifname "${tunDevice}" return
		ip daddr { ${private4} } return
		ip6 daddr { ${private6} } return
		ct direction reply return
		meta l4proto { tcp, udp } meta mark set 0x162`,
		mangle_output: `		meta mark 0x1a0a return
		ip daddr { ${private4} } return
		ip6 daddr { ${private6} } return
		ct direction reply return
		meta l4proto { tcp, udp } meta mark set 0x162`,
	}),
};

/** homeproxy: TCP is redirected, UDP handed over in place; it lets through what carries its own mark, 100. */
const homeproxy: Ruleset = {
	name: "homeproxy (redirect, UDP by tproxy)",
	service: "homeproxy",
	order: 99,
	mihomo: { mark: 100 },
	...both(policy("101", 1889, 100, "local")),
	down: [...policy("101", 1889, 100, "local").down, ...leaveFw4],
	table: inFw4({
		dstnat: `		meta mark 100 return
		ip daddr { ${private4} } return
		ip6 daddr { ${private6} } return
		meta l4proto tcp redirect to :${redirectPort}`,
		output: `		meta mark 100 return
		ip daddr { ${private4} } return
		ip6 daddr { ${private6} } return
		meta l4proto tcp redirect to :${redirectPort}`,
		mangle_prerouting: `		meta mark 100 return
		ip daddr { ${private4} } return
		ip6 daddr { ${private6} } return
		meta nfproto ipv4 meta l4proto udp meta mark set 101 tproxy ip to 127.0.0.1:${tproxyPort} accept
		meta nfproto ipv6 meta l4proto udp meta mark set 101 tproxy ip6 to :${tproxyPort} accept`,
		mangle_output: `		meta mark 100 return
		ip daddr { ${private4} } return
		ip6 daddr { ${private6} } return
		meta l4proto udp meta mark set 101`,
	}),
};

/** homeproxy with TUN: marks TCP and UDP, and knows no mark that it lets through; its own packets have their device. */
const homeproxyTun: Ruleset = {
	name: "homeproxy (TUN)",
	service: "homeproxy",
	order: 99,
	mihomo: { mark: 100, tun: plainTun },
	...both(policy("102", 1890, 101, "tun")),
	down: [...policy("102", 1890, 101, "tun").down, ...leaveFw4],
	table: inFw4({
		mangle_prerouting: `		iifname "${tunDevice}" return
		ip daddr { ${private4} } return
		ip6 daddr { ${private6} } return
		meta l4proto { tcp, udp } meta mark set 102`,
		mangle_output: `		meta mark 100 return
		ip daddr { ${private4} } return
		ip6 daddr { ${private6} } return
		meta l4proto { tcp, udp } meta mark set 102`,
	}),
};

/**
 * sing-tun's own rules, as sing-box's auto_redirect makes them in its mark mode. The queue for first packets of
 * connections (prematch) is not here: the lab's kernel has no nft_queue. scenarios/marks.guest.ts has iptables' queue.
 */
const singBox: Ruleset = {
	name: "sing-box (auto_redirect with marks)",
	service: "sing-box",
	order: 99,
	mihomo: { mark: 0x2024, tun: plainTun },
	...both(policy("0x2023", 9001, 2022, "tun")),
	down: [...policy("0x2023", 9001, 2022, "tun").down, "nft delete table inet sing-box"],
	table: `table inet sing-box {
	chain output {
		type nat hook output priority mangle; policy accept;
		meta mark 0x2024 return
		ip daddr { ${private4}, 192.168.1.0/24 } return
		ip6 daddr { ${private6} } return
		meta l4proto tcp redirect to :${redirectPort}
	}
	chain output_udp_icmp {
		type route hook output priority mangle; policy accept;
		meta l4proto != { udp, icmp, icmpv6 } return
		meta mark 0x2024 return
		ct mark 0x2024 return
		ip daddr { ${private4} } return
		ip6 daddr { ${private6} } return
		meta mark set 0x2023 ct mark set meta mark
	}
	chain prerouting {
		type nat hook prerouting priority dstnat + 1; policy accept;
		iifname "${tunDevice}" return
		ip daddr { ${private4}, 45.0.0.0/24 } return
		ip6 daddr { ${private6}, 2a00:45::/64 } return
		meta l4proto tcp redirect to :${redirectPort}
	}
}
`,
};

/** Rules that Mihomo makes itself. */
const ownRules = (name: string, tun: string): Ruleset => ({
	name: `Mihomo (${name})`,
	service: "mihomo",
	order: 99,
	mihomo: { tun },
});

export const mihomoTun = ownRules("TUN, auto-route", "stack: system, auto-route: true, auto-redirect: false");
export const mihomoRedirect = ownRules(
	"TUN, auto-redirect",
	"stack: mixed, auto-route: true, auto-redirect: true",
);
export const nikkiDefault = nikki("redirect", "tun");
export const nikkiTproxy = nikki("tproxy", "tproxy");

export const rulesets: readonly Ruleset[] = [
	nikkiDefault,
	nikkiTproxy,
	nikki("tun", "tun"),
	openclash,
	openclashTun,
	ssclash,
	homeproxy,
	homeproxyTun,
	singBox,
	mihomoTun,
	mihomoRedirect,
];
