import { describe, expect, it } from "vitest";
import { parseConfig } from "../../src/config/load.ts";
import { DEFAULT_CONFIG_PATH } from "../../src/config/schema.ts";

/** Without the path, which is the same in all. */
function errorsOf(text: string): string[] {
	const result = parseConfig(text, DEFAULT_CONFIG_PATH);
	return "errors" in result ? result.errors.map((line) => line.replace(`${DEFAULT_CONFIG_PATH}:`, "")) : [];
}

const main = (option: string) => errorsOf(`config bgpwarden 'main'\n\toption ${option}\n`);
const mqtt = (...options: string[]) =>
	errorsOf(
		["config mqtt 'mqtt'", "option enabled 0", ...options.map((option) => `option ${option}`)].join("\n"),
	);
const peer = (...options: string[]) =>
	errorsOf(["config peer", "option name p", ...options.map((option) => `option ${option}`)].join("\n"));

describe("mistakes", () => {
	it("name file, line, option and what was expected", () => {
		const text = `${"\n".repeat(10)}config bgpwarden 'main'\n\toption poll_interval 'abc'\n`;
		expect(parseConfig(text, "/etc/config/bgpwarden")).toEqual({
			errors: ["/etc/config/bgpwarden:12: main.poll_interval: 'abc' is not a number of seconds (1 to 3600)"],
		});
	});

	it("come all at once, in the file's order", () => {
		const text =
			"config mqtt mqtt\noption enabled 1\noption prt 1\nconfig bgpwarden main\noption scope all\nconfig mian\n";
		expect(errorsOf(text)).toEqual([
			"2: mqtt.enabled: MQTT is switched on, but there is no 'host' (the broker's name or address)",
			"3: mqtt.prt: unknown option (did you mean 'port'?)",
			"5: main.scope: 'all' is not one of any, peers",
			"6: config 'mian': unknown section type",
		]);
	});

	it.each([
		["poll_interval 0", "2: main.poll_interval: '0' is not a number of seconds (1 to 3600)"],
		["poll_interval 3601", "2: main.poll_interval: '3601' is not a number of seconds (1 to 3600)"],
		["poll_interval 15s", "2: main.poll_interval: '15s' is not a number of seconds (1 to 3600)"],
		["poll_interval -1", "2: main.poll_interval: '-1' is not a number of seconds (1 to 3600)"],
		["poll_interval 1e3", "2: main.poll_interval: '1e3' is not a number of seconds (1 to 3600)"],
		["enabled maybe", "2: main.enabled: 'maybe' is not yes or no (1 or 0)"],
		["enabled TRUE", "2: main.enabled: 'TRUE' is not yes or no (1 or 0)"],
		["log_level warning", "2: main.log_level: 'warning' is not one of error, warn, info, debug"],
		[
			"log_level wran",
			"2: main.log_level: 'wran' is not one of error, warn, info, debug (did you mean 'warn'?)",
		],
		[
			"bypass_mark 0x100000000",
			"2: main.bypass_mark: '0x100000000' is not a packet mark (0 to 0xffffffff) or 'keep'",
		],
		["route_mark none", "2: main.route_mark: 'none' is not a packet mark (0 to 0xffffffff) or 'keep'"],
		["route_mark -1", "2: main.route_mark: '-1' is not a packet mark (0 to 0xffffffff) or 'keep'"],
		["pol_interval 5", "2: main.pol_interval: unknown option (did you mean 'poll_interval'?)"],
		["something ''", "2: main.something: unknown option"],
		[
			"bird_socket bird.ctl",
			"2: main.bird_socket: 'bird.ctl' is not an absolute path (at most 107 characters)",
		],
		[
			"bird_socket /run/\u2028bird.ctl",
			"2: main.bird_socket: '/run/\\u2028bird.ctl' is not an absolute path (at most 107 characters)",
		],
		[
			"router_id ///",
			"2: main.router_id: '///' is not a name with a letter or a digit, of at most 64 characters",
		],
	])("main: option %s", (option, error) => {
		expect(main(option)).toEqual([error]);
	});

	it.each(["fw4", "rule", "inet", "1bgp", "a-b", "'a b'", "'a;b'", "a{", "'x\ny'", "a".repeat(32)])(
		"main: option table %s",
		(name) => {
			const [error, ...more] = main(`table ${name}`);
			expect(error).toMatch(/^2: main\.table: '.*' is not an unused table name/);
			expect(more).toEqual([]);
		},
	);

	it.each([
		["host", "'-oProxy'"],
		["host", "'a b'"],
		["host", "'broker:1883'"],
		["host", "192.168.1.300"],
		["host", "0.0.0.0"],
		["host", "'mqtt://broker'"],
		["host", "a..b"],
		["host", "'[::1]'"],
		["port", "0"],
		["port", "65536"],
		["base_topic", "'/bgp'"],
		["base_topic", "'bgp/'"],
		["base_topic", "'a//b'"],
		["base_topic", "'a/+'"],
		["base_topic", "'a\\#'"],
		["base_topic", "'$SYS'"],
		["base_topic", "'a b'"],
		["discovery_prefix", "'#'"],
		["username", "'a\tb'"],
		["ca_file", "ca.pem"],
	])("mqtt: option %s %s", (option, value) => {
		const words = `3: mqtt.${option}: the value is not `;
		expect(mqtt(`${option} ${value}`, "tls 1").filter((error) => error.startsWith(words))).toHaveLength(1);
	});

	it.each([
		"broker",
		"broker.example.org",
		"my_broker.lan.",
		"192.168.1.10",
		"2001:db8::1",
		"fe80::1%br-lan",
		"core-mosquitto",
	])("mqtt: option host %s is fine", (host) => {
		expect(mqtt(`host '${host}'`)).toEqual([]);
	});

	it.each([
		[
			"password 'hunter2\n'",
			"password: the value is not one line of at most 1024 characters, without control characters",
		],
		["port hunter2", "port: the value is not a port (1 to 65535)"],
		["hunter2 password", "?: unknown option"],
		["pasword hunter2", "pasword: unknown option (did you mean 'password'?)"],
	])("never show a password, wherever it stands: %j", (option, error) => {
		expect(mqtt("username u", option)).toEqual([`4: mqtt.${error}`]);
	});

	it.each([
		[["password x"], "3: mqtt.password: a password needs a 'username' (MQTT 3.1.1 has none without)"],
		[["ca_file /ca"], "3: mqtt.ca_file: is for TLS, which is switched off (option tls '1')"],
		[["tls_insecure 1"], "3: mqtt.tls_insecure: is for TLS, which is switched off (option tls '1')"],
		[["tls 1", "cert_file /c"], "4: mqtt.cert_file: needs a 'key_file' as well"],
		[["tls 1", "key_file /k"], "4: mqtt.key_file: needs a 'cert_file' as well"],
		[["tls maybe", "ca_file /ca"], "3: mqtt.tls: the value is not yes or no (1 or 0)"],
	])("mqtt: %j do not go together", (options, error) => {
		expect(mqtt(...options)).toEqual([error]);
	});

	it.each([
		["remote_as 0", "3: @peer[0].remote_as: '0' is not an AS number (1 to 4294967295)"],
		["local_as 4294967296", "3: @peer[0].local_as: '4294967296' is not an AS number (1 to 4294967295)"],
		["local_as AS65001", "3: @peer[0].local_as: 'AS65001' is not an AS number (1 to 4294967295)"],
		[
			"address 192.168.1.0/24",
			"3: @peer[0].address: '192.168.1.0/24' is not the IPv4 or IPv6 address of one host (without a prefix length)",
		],
		[
			"name 'a b'",
			"3: @peer[0].name: 'a b' is not a protocol name of BIRD (letters, digits, '_', '-', '.' and ':', at most 64)",
		],
		[
			"interface '../x'",
			"3: @peer[0].interface: '../x' is not the name of a network interface (letters, digits, '_', '-' and '.', at most 15)",
		],
		["neighbour x", "3: @peer[0].neighbour: unknown option"],
		["hold_time 2", "3: @peer[0].hold_time: '2' is not a number of seconds (3 to 65535)"],
		["connect_time 0", "3: @peer[0].connect_time: '0' is not a number of seconds (1 to 65535)"],
		["max_prefixes 0", "3: @peer[0].max_prefixes: '0' is not a number of prefixes (1 to 4294967295)"],
		[
			"speaker clium",
			"3: @peer[0].speaker: 'clium' is not one of auto, frr-k8s, metallb-frr, metallb-native, cilium, gobgp, calico, frr, bird, other (did you mean 'cilium'?)",
		],
		[
			"range 192.168.1.1/24",
			"3: @peer[0].range: '192.168.1.1/24' is not a prefix of several addresses (such as 192.168.1.0/24, without bits behind its length)",
		],
		[
			"node Node_1",
			"3: @peer[0].node: 'Node_1' is not the name of a Kubernetes node (small letters, digits, '-' and '.', at most 253)",
		],
		[
			"password 'hunter 2'",
			"3: @peer[0].password: the value is not a password of 1 to 80 visible ASCII characters, without blanks and quotes",
		],
		["hunter2 password", "3: @peer[0].?: unknown option"],
		[
			"node_interface eth0",
			"3: @peer[0].node_interface: needs this router's 'interface' towards the node as well",
		],
	])("peer: option %s", (option, error) => {
		expect(peer(option)).toEqual([error]);
	});

	it.each([
		[
			["address 192.168.1.2", "local_address 2001:db8::1"],
			"4: @peer[0].local_address: is IPv6, but the peer's address is IPv4",
		],
		[["address ::1", "local_address 0::1"], "4: @peer[0].local_address: is the peer's own address"],
		[
			["interface eth1", "address fe80::1%eth0"],
			"4: @peer[0].address: is on 'eth0', but the interface is 'eth1'",
		],
		[
			["range 10.0.0.0/8", "address 10.0.0.1"],
			"4: @peer[0].address: is one node's; with 'range' the peers are whoever connects",
		],
		[
			["range 10.0.0.0/8", "local_address fe80::1%br-lan"],
			"4: @peer[0].local_address: is IPv6, but the peer's address is IPv4",
		],
		[
			["interface br-lan", "node_interface eth0", "address 10.0.0.1"],
			"4: @peer[0].node_interface: is for a session without addresses: leave 'address' and 'local_address' out",
		],
		[
			["address 10.0.0.1", "source_address fd00::1"],
			"4: @peer[0].source_address: is IPv6, but the peer's address is not",
		],
		[
			["hold_time 9", "keepalive_time 10"],
			"4: @peer[0].keepalive_time: is longer than the hold time (9 s): the session would end between two of them",
		],
		[["password hunter2", "port x"], "4: @peer[0].port: the value is not a port (1 to 65535)"],
	])("peer: %j do not go together", (options, error) => {
		expect(peer(...options)).toEqual([error]);
	});

	it("are two peers of one name, and a peer without one", () => {
		const text =
			"config peer\noption name a\nconfig peer b\nconfig peer\noption name b\nconfig peer\noption bfd 1\n";
		expect(errorsOf(text)).toEqual([
			"5: @peer[2].name: 'b' is already the peer of line 3",
			"6: @peer[3].name: is missing (the protocol's name in bird.conf)",
		]);
	});

	it("are unknown section types and wrong section names", () => {
		expect(
			errorsOf("config bgpwarden\nconfig mqtt 'broker'\nconfig mqqt 'x'\nconfig bgpwardn 'main'\n"),
		).toEqual([
			"1: config bgpwarden: its name must be 'main': config bgpwarden 'main'",
			"2: config mqtt: its name must be 'mqtt': config mqtt 'mqtt'",
			"3: config 'mqqt': unknown section type (did you mean 'mqtt'?)",
			"4: config 'bgpwardn': unknown section type (did you mean 'bgpwarden'?)",
		]);
	});

	it("are lists where one value is meant", () => {
		expect(errorsOf("config bgpwarden main\nlist scope any\n")).toEqual([
			"2: main.scope: takes one value: write 'option' instead of 'list'",
		]);
	});

	it("are lines that are no UCI", () => {
		expect(parseConfig("config bgpwarden main\n\toption table 'x\n", "/tmp/c")).toEqual({
			errors: ["/tmp/c:2: a ' is opened here and never closed"],
		});
	});

	it("stay one harmless line, whatever the value is", () => {
		const [error = ""] = main(`scope 'a\n\u009b31m${"x".repeat(500)}'`);
		expect(error).toMatch(/^2: main\.scope: 'a\\x0a\\x9b31mx+…' is not one of any, peers$/);
		expect(error.length).toBeLessThan(120);
		const [unknown = ""] = main(`${"x".repeat(100_000)} 1`);
		expect(unknown).toMatch(/^2: main\.x+…: unknown option$/);
		expect(unknown.length).toBeLessThan(120);
	});
});

it.each(["constructor", "__proto__", "toString"])("takes %s for the unknown name it is", (name) => {
	expect(errorsOf(`config ${name} main\n`)).toEqual([`1: config '${name}': unknown section type`]);
	expect(main(`${name} 1`)).toEqual([`2: main.${name}: unknown option`]);
});
