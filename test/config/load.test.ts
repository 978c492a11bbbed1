import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parseConfig } from "../../src/config/load.ts";
import { DEFAULT_CONFIG_PATH, defaultConfig } from "../../src/config/schema.ts";
import type { Config } from "../../src/model/config.ts";

function configOf(text: string): Config {
	const result = parseConfig(text, DEFAULT_CONFIG_PATH);
	if ("errors" in result) throw new Error(result.errors.join("\n"));
	return result.config;
}

describe("a file without mistakes", () => {
	it("is all defaults when it is empty", () => {
		expect(configOf("")).toEqual(defaultConfig());
		expect(defaultConfig()).toEqual({
			main: {
				enabled: true,
				logLevel: "info",
				routerId: "",
				table: "custom_bgp",
				scope: "any",
				forwarded: false,
				bypassMark: 0x2024,
				routeMark: 0,
				protect: true,
				remediate: true,
				birdSocket: "",
				pollInterval: 15,
				zone: "",
			},
			mqtt: {
				enabled: false,
				host: "",
				port: 1883,
				username: "",
				password: "",
				tls: false,
				caFile: "",
				certFile: "",
				keyFile: "",
				tlsInsecure: false,
				baseTopic: "bgpwarden",
				discovery: true,
				discoveryPrefix: "homeassistant",
				commands: false,
			},
			peers: [],
		});
	});

	it("sets every option there is", () => {
		const text = `
config bgpwarden 'main'
	option enabled 'off'
	option log_level 'debug'
	option router_id 'Living room/1'
	option table 'bgp_raw'
	option scope 'peers'
	option forwarded 'yes'
	option bypass_mark '100'
	option route_mark 'keep'
	option protect 'false'
	option remediate 'disabled'
	option bird_socket '/tmp/bird.ctl'
	option poll_interval '3600'
	option zone 'lan'
config mqtt 'mqtt'
	option enabled '1'
	option host 'broker.lan'
	option port '8883'
	option username 'warden'
	option password ' # '
	option tls 'on'
	option ca_file '/etc/ssl/ca.pem'
	option cert_file '/etc/ssl/cert.pem'
	option key_file '/etc/ssl/key.pem'
	option tls_insecure '1'
	option base_topic 'net/bgp'
	option discovery 'no'
	option discovery_prefix 'ha'
	option commands 'true'
config peer
	option name 'waukeen-1'
	option address '192.168.1.2'
	option local_address '192.168.1.1'
	option local_as '65001'
	option remote_as '4294967295'
	option interface 'br-lan'
	option multihop '1'
	option bfd '0'
	option zone 'k8s.lab-1'
config peer 'six'
	option address 'FE80:0::2%eth0'
`;
		expect(configOf(text)).toEqual({
			main: {
				enabled: false,
				logLevel: "debug",
				routerId: "Living_room_1",
				table: "bgp_raw",
				scope: "peers",
				forwarded: true,
				bypassMark: 100,
				routeMark: "keep",
				protect: false,
				remediate: false,
				birdSocket: "/tmp/bird.ctl",
				pollInterval: 3600,
				zone: "lan",
			},
			mqtt: {
				enabled: true,
				host: "broker.lan",
				port: 8883,
				username: "warden",
				password: " # ",
				tls: true,
				caFile: "/etc/ssl/ca.pem",
				certFile: "/etc/ssl/cert.pem",
				keyFile: "/etc/ssl/key.pem",
				tlsInsecure: true,
				baseTopic: "net/bgp",
				discovery: false,
				discoveryPrefix: "ha",
				commands: true,
			},
			peers: [
				{
					name: "waukeen-1",
					address: "192.168.1.2",
					localAddress: "192.168.1.1",
					localAs: 65001,
					remoteAs: 4294967295,
					interface: "br-lan",
					multihop: true,
					bfd: false,
					zone: "k8s.lab-1",
				},
				{ name: "six", address: "fe80::2", interface: "eth0" },
			],
		});
	});

	it("may leave values empty, which means their defaults", () => {
		expect(configOf("config bgpwarden main\noption poll_interval ''\noption table ''\n")).toEqual(
			defaultConfig(),
		);
	});

	it("switches MQTT on by naming a host, unless it says otherwise", () => {
		expect(configOf("config mqtt mqtt\noption host broker\n").mqtt.enabled).toBe(true);
		expect(configOf("config mqtt mqtt\noption host broker\noption enabled 0\n").mqtt.enabled).toBe(false);
		expect(configOf("config mqtt mqtt\noption port 1884\n").mqtt.enabled).toBe(false);
	});

	it("is what the package installs: quiet, and otherwise the defaults", () => {
		const path = new URL("../../openwrt-package/bgpwarden/files/etc/config/bgpwarden", import.meta.url);
		const defaults = defaultConfig();
		expect(configOf(readFileSync(path, "utf8"))).toEqual({
			...defaults,
			mqtt: { ...defaults.mqtt, host: "192.168.1.10" },
		});
	});

	it("still is, with the package's example of a peer", () => {
		const path = new URL("../../openwrt-package/bgpwarden/files/etc/config/bgpwarden", import.meta.url);
		const text = readFileSync(path, "utf8").replace(/^#(config|\t)/gm, "$1");
		expect(configOf(text).peers).toEqual([
			{
				name: "waukeen",
				address: "192.168.1.2",
				localAddress: "192.168.1.1",
				localAs: 65001,
				remoteAs: 65009,
				interface: "br-lan",
				multihop: true,
				bfd: true,
				zone: "lan",
			},
		]);
	});
});
