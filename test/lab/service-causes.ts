import { network } from "./network.ts";
import { type Bird, birdBgp, startBird } from "./programs.ts";
import { birdConfig, clients, neighbor, port, type ServiceLab, secondNode } from "./service.ts";

/** Something that keeps a client from a service whose session is up. */
export interface ServiceCause {
	readonly name: string;
	/** The first thing that `doctor --service` names, and all that it names. */
	readonly id: string;
	readonly level?: "yellow";
	/** Which client fails; default: the one behind another network of the router. */
	readonly client?: keyof typeof clients;
	/** What it brings about besides. */
	readonly also?: readonly string[];
	/** It works all the same. */
	readonly works?: true;
	play(lab: ServiceLab): Promise<unknown>;
	undo(lab: ServiceLab): Promise<unknown>;
}

const { router, speaker, broker } = network;
const ip = ({ lab }: ServiceLab, ...words: string[]) => lab.router.run(["ip", ...words]);
const sysctl = ({ lab }: ServiceLab, ...settings: string[]) => lab.router.run(["sysctl", "-qw", ...settings]);
const bgp = ({ frr }: ServiceLab, ...commands: string[]) =>
	frr.vtysh("configure terminal", `router bgp ${speaker.as}`, "address-family ipv4 unicast", ...commands);
const nft = ({ lab }: ServiceLab, text: string) => lab.router.nft(text);
/** A table with one base chain. @param hook its type, hook and priority */
const table = (name: string, hook: string, rule: string) =>
	`table inet ${name} {\n\tchain c {\n\t\ttype ${hook};\n\t\t${rule}\n\t}\n}\n`;
const onNode = (rule: string) => ({
	play: ({ lab }: ServiceLab) => lab.speaker.nft(table("node", "filter hook input priority filter", rule)),
	undo: ({ lab }: ServiceLab) => lab.speaker.nft("flush ruleset"),
});
const flush = (world: ServiceLab) => nft(world, "flush ruleset");
const bird = (change: (config: string) => string) => ({
	play: (world: ServiceLab) => world.bird.configure(change(birdConfig)),
	undo: (world: ServiceLab) => world.bird.configure(birdConfig),
});
/** A route that leads to the client's own network: nothing serves the address there. */
const elsewhere = ["via", broker.address, "dev", "br-iot"] as const;

/** fw4's chains of forwarded packets. @param lan what leads from lan, @param iot from iot, @param first before all else */
const fw4 = ({ lan = "jump accept_to_lan", iot = "jump accept_to_lan", first = "" } = {}) => `
flush ruleset
table inet fw4 {
	chain forward {
		type filter hook forward priority filter; policy drop;
		ct state vmap { established : accept, related : accept${first} }
		iifname "br-lan" jump forward_lan
		iifname "br-iot" jump forward_iot
		jump handle_reject
	}
	chain forward_lan { ${lan}; }
	chain forward_iot { ${iot}; }
	chain accept_to_lan { oifname "br-lan" counter accept; }
	chain accept_to_wan { oifname "eth1" counter accept; }
	chain handle_reject {
		meta l4proto tcp reject with tcp reset
		reject
	}
}
`;

let second: Bird | undefined;
export const SERVICE_CAUSES: readonly ServiceCause[] = [
	{
		name: "the cluster does not announce it",
		id: "service-unannounced",
		play: (world) => bgp(world, `no network ${network.service}`),
		undo: (world) => bgp(world, `network ${network.service}`),
	},
	{
		name: "the import filter leaves it out",
		id: "service-filtered",
		...bird((config) => config.replace("import all;", `import where net != ${network.service};`)),
	},
	{
		name: "the import filter leaves it out, and BIRD keeps what it leaves out",
		id: "service-filtered",
		...bird((config) =>
			config.replace("import all;", `import keep filtered; import where net != ${network.service};`),
		),
	},
	{
		name: "the channel imports nothing",
		id: "service-filtered",
		...bird((config) => config.replace("import all;", "import none;")),
	},
	{
		name: "the peer is disabled",
		id: "service-no-session",
		also: ["yellow disabled"],
		play: ({ bird }) => bird.control(`disable ${network.peer}`),
		undo: ({ bird }) => bird.control(`enable ${network.peer}`),
	},
	{
		name: "BIRD knows no way to the next hop",
		id: "service-next-hop-unresolved",
		...bird((config) => config.replace(/protocol direct \{[^}]*\}\n/, "")),
	},
	{
		name: "BIRD prefers a static route",
		id: "service-not-best",
		...bird(
			(config) => `${config}protocol static { ipv4; route ${network.service} via ${broker.address}; }\n`,
		),
	},
	{
		name: "protocol kernel exports nothing",
		id: "service-not-exported",
		...bird((config) => config.replace("export all;", "export none;")),
	},
	{
		name: "BIRD's routes go to a table that no rule leads to",
		id: "service-no-route",
		...bird((config) => config.replace("protocol kernel {", "protocol kernel { kernel table 100;")),
	},
	{
		name: "another route with a smaller metric wins",
		id: "service-other-route",
		play: (world) => ip(world, "route", "add", network.service, ...elsewhere),
		undo: (world) => ip(world, "route", "del", network.service, ...elsewhere),
	},
	{
		name: "a blackhole wins",
		id: "service-blackhole",
		play: (world) => ip(world, "route", "add", "blackhole", network.service),
		undo: (world) => ip(world, "route", "del", "blackhole", network.service),
	},
	{
		name: "a rule leads to a VPN's table",
		id: "service-rule",
		async play(world) {
			await ip(world, "route", "add", "192.168.0.0/16", ...elsewhere, "table", "52");
			await ip(world, "rule", "add", "iif", "br-iot", "lookup", "52", "priority", "5270");
		},
		async undo(world) {
			await ip(world, "rule", "del", "priority", "5270");
			await ip(world, "route", "flush", "table", "52");
		},
	},
	{
		name: "packets are marked for another uplink",
		id: "service-rule",
		async play(world) {
			await ip(world, "route", "add", "default", ...elsewhere, "table", "1");
			await ip(world, "rule", "add", "fwmark", "0x100/0x3f00", "lookup", "1", "priority", "2001");
			await nft(
				world,
				table(
					"mwan",
					"filter hook prerouting priority mangle",
					'iifname "br-iot" ip daddr != 192.168.0.0/20 meta mark set mark and 0xffffc0ff or 0x100',
				),
			);
		},
		async undo(world) {
			await flush(world);
			await ip(world, "rule", "del", "priority", "2001");
			await ip(world, "route", "flush", "table", "1");
		},
	},
	{
		name: "the next hop is dead",
		id: "service-next-hop-dead",
		play: ({ frr }) =>
			frr.vtysh("configure terminal", `route-map ${router.lan}-out permit 1`, "set ip next-hop 192.168.1.77"),
		undo: ({ frr }) =>
			frr.vtysh("configure terminal", `route-map ${router.lan}-out permit 1`, "no set ip next-hop"),
	},
	{
		name: "one of two next hops is dead",
		id: "service-next-hop-dead",
		async play({ lab, bird }) {
			await lab.speaker.run(["ip", "address", "add", "192.168.1.3/24", "dev", "eth0"]);
			// Each connection is a draw of its own.
			await lab.router.run(["sysctl", "-qw", "net.ipv4.fib_multipath_hash_policy=1"]);
			await bird.configure(
				birdConfig.replace("protocol kernel {", "protocol kernel { merge paths on;") +
					birdBgp("second", "192.168.1.3", speaker.as, "multihop 2;").replace("bfd on;", ""),
			);
			second = await startBird(lab.speaker, secondNode);
		},
		async undo({ lab, bird }) {
			await second?.stop();
			await bird.configure(birdConfig);
			await lab.speaker.run(["ip", "address", "del", "192.168.1.3/24", "dev", "eth0"]);
		},
	},
	{
		name: "the router does not forward",
		id: "service-forwarding-off",
		play: (world) => sysctl(world, "net.ipv4.ip_forward=0"),
		undo: (world) => sysctl(world, "net.ipv4.ip_forward=1"),
	},
	{
		name: "rp_filter is strict, and does not know the mark that the answers have",
		id: "service-reverse-path",
		async play(world) {
			await ip(world, "route", "add", clients.iot, "dev", "br-iot", "table", "77");
			await ip(world, "rule", "add", "fwmark", "0x5", "lookup", "77", "priority", "77");
			await ip(world, "route", "add", clients.iot, "via", speaker.address);
			const mark = `iifname "br-lan" ip daddr ${clients.iot} meta mark set 0x5`;
			await nft(world, table("pbr", "filter hook prerouting priority mangle", mark));
			await sysctl(world, "net.ipv4.conf.br-iot.rp_filter=1");
		},
		async undo(world) {
			await flush(world);
			await sysctl(world, "net.ipv4.conf.br-iot.rp_filter=0");
			await ip(world, "route", "del", clients.iot, "via", speaker.address);
			await ip(world, "rule", "del", "priority", "77");
			await ip(world, "route", "flush", "table", "77");
		},
	},
	{
		name: "the answers take another way than to the client",
		id: "service-rule",
		play: (world) => ip(world, "route", "add", clients.iot, "via", neighbor),
		undo: (world) => ip(world, "route", "del", clients.iot, "via", neighbor),
	},
	{
		name: "fw4 has no forwarding between the zones",
		id: "service-blocked",
		play: (world) => nft(world, fw4({ iot: "jump accept_to_wan" })),
		undo: flush,
	},
	{
		name: "fw4 does not forward within the zone",
		id: "service-blocked",
		client: "lan",
		play: (world) => nft(world, fw4({ lan: "jump accept_to_wan" })),
		undo: flush,
	},
	{
		name: "another table drops what is forwarded",
		id: "service-blocked",
		play: (world) =>
			nft(
				world,
				table("vpn", "filter hook forward priority filter - 1", 'iifname "br-iot" oifname != "wg0" drop'),
			),
		undo: flush,
	},
	{
		name: "another table drops the answers",
		id: "service-answer-blocked",
		play: (world) =>
			nft(
				world,
				table("vpn", "filter hook forward priority filter", `tcp sport ${port} oifname "br-iot" drop`),
			),
		undo: flush,
	},
	{
		name: "a proxy redirects the port",
		id: "service-caught",
		play: (world) =>
			nft(
				world,
				table(
					"proxy",
					"nat hook prerouting priority dstnat",
					`iifname "br-iot" tcp dport ${port} redirect to :7892`,
				),
			),
		undo: flush,
	},
	{
		name: "client and node share a network, and the firewall drops what is invalid",
		id: "service-one-sided",
		client: "lan",
		play: (world) => nft(world, fw4({ first: ", invalid : drop" })),
		undo: flush,
	},
	{
		name: "the node's link has the smaller MTU",
		id: "service-mtu",
		level: "yellow",
		works: true,
		play: (world) => ip(world, "link", "set", router.lanInterface, "mtu", "1400"),
		undo: (world) => ip(world, "link", "set", router.lanInterface, "mtu", "1500"),
	},
	{
		name: "nothing serves the port on the node",
		id: "service-refused",
		...onNode(`tcp dport ${port} reject with tcp reset`),
	},
	{
		name: "the node does not answer",
		id: "service-silent",
		...onNode(`tcp dport ${port} drop`),
	},
];
