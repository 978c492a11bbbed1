import { describe, expect, test } from "vitest";
import type { MqttConfig } from "../../../src/model/config.ts";
import { FLOOD, PacketGuard } from "../../../src/report/mqtt/packets.ts";
import { endReason, transportCommand } from "../../../src/report/mqtt/transport.ts";
import { mqttConfig } from "./broker.ts";

const target = (port: number, changes: Partial<MqttConfig> = {}, address?: string) => {
	const config = mqttConfig(port, changes);
	return { ...config, address: address ?? config.host };
};

describe("transportCommand", () => {
	test("is nc without TLS", () => {
		expect(transportCommand(target(1883, { host: "192.168.1.10" }))).toEqual(["nc", "192.168.1.10", "1883"]);
	});

	test("is openssl s_client with the name verified", () => {
		const config = target(8883, { host: "broker.lan", tls: true, caFile: "/ca", certFile: "/c" });
		const command = transportCommand({ ...config, keyFile: "/k" }).join(" ");
		expect(command).toContain("s_client -quiet -nocommands");
		expect(command).toContain("-verify_return_error -verify_hostname broker.lan -connect broker.lan:8883");
		expect(command).toContain("-servername broker.lan");
		expect(command).toContain("-CAfile /ca -cert /c -key /k");
	});

	test.each([
		["192.168.1.10", "-connect 192.168.1.10:8883"],
		["fd00::1", "-connect [fd00::1]:8883"],
	])("verifies the address %s instead of a name", (host, connect) => {
		const command = transportCommand(target(8883, { host, tls: true })).join(" ");
		expect(command).toContain(connect);
		expect(command).toContain(`-verify_ip ${host}`);
		expect(command).toContain("-noservername");
	});
});

describe("transportCommand, once more", () => {
	test("verifies the name also when one of its addresses is tried", () => {
		const command = transportCommand(target(8883, { host: "broker.lan", tls: true }, "fd00::1")).join(" ");
		expect(command).toContain("-connect [fd00::1]:8883");
		expect(command).toContain("-servername broker.lan");
		expect(command).toContain("-verify_hostname broker.lan");
	});

	test("verifies nothing only when told so", () => {
		const insecure = target(8883, { host: "broker.lan", tls: true, tlsInsecure: true });
		expect(transportCommand(insecure).join(" ")).not.toMatch(/-verify_return_error|-verify_hostname/);
	});

	test("holds no secret", () => {
		const config = target(8883, { tls: true, username: "hidden-user", password: "hidden-word" });
		expect(transportCommand(config).join(" ")).not.toContain("hidden");
	});
});

describe("endReason", () => {
	test.each([
		["nc", { code: 127 }, "", "nc: not found"],
		["nc", { code: 0 }, "", "the broker closed the connection"],
		["nc", { code: 1 }, "", "nc ended with code 1"],
		["nc", { signal: 9 }, "", "nc was killed by signal 9"],
		["nc", { code: 1 }, "nc: bad address 'x'\n", "nc: bad address 'x'"],
		["openssl", { code: 1 }, "odd\nodder\n", "openssl: odder"],
		["openssl", { code: 1 }, "write:errno=104\n", "openssl: the connection broke (write:errno=104)"],
		[
			"openssl",
			{ code: 1 },
			"40F7:error:80000002:system library:BIO_new_file:No such file or directory:bss_file.c:67:calling fopen(/ca, r)\n40F7:error:10000080:BIO routines:BIO_new_file:no such file:bss_file.c:75:\n",
			"openssl: No such file or directory (calling fopen(/ca, r))",
		],
		[
			"openssl",
			{ code: 1 },
			"40F7:error:8000006F:system library:BIO_connect:Connection refused:crypto/bio/bio_sock2.c:178:calling connect()\nconnect:errno=111\n",
			"openssl: Connection refused (calling connect())",
		],
		[
			"openssl",
			{ code: 1 },
			"depth=0 CN=x\nverify error:num=18:self-signed certificate\n40F7:error:0A000086:SSL routines:f:certificate verify failed:ssl/statem/statem_clnt.c:2123:\n",
			"openssl: the broker's certificate was refused: self-signed certificate",
		],
	])("%s %j %j", (program, status, complaints, expected) => {
		expect(endReason(program, status, complaints)).toBe(expected);
	});
});

describe("PacketGuard", () => {
	const skipped: number[] = [];
	let now = 0;
	const feed = (...chunks: number[][]) => {
		const guard = new PacketGuard(
			1000,
			0,
			() => now,
			(bytes) => skipped.push(bytes),
		);
		const passed: number[] = [];
		for (const chunk of chunks) {
			const result = guard.push(Uint8Array.from(chunk));
			for (const piece of result.passed) passed.push(...piece);
			if (result.complaint) return { passed, complaint: result.complaint };
		}
		return { passed, complaint: undefined };
	};
	const push = (...chunks: number[][]) => feed(...chunks).complaint;
	const connack = [0x20, 2, 0, 0];
	/** A PUBLISH of 200 bytes after its header. */
	const publish = [0x30, 0xc8, 0x01, ...new Array<number>(200).fill(0xff)];

	test("lets packets pass, cut anywhere", () => {
		const bytes = [...connack, ...publish, 0xd0, 0, 0x90, 3, 0, 1, 0, 0x40, 2, 0, 1];
		expect(push(bytes)).toBeUndefined();
		expect(push(...bytes.map((byte) => [byte]))).toBeUndefined();
	});

	test.each([
		["HTTP", [..."HTTP/1.1 400"].map((letter) => letter.charCodeAt(0))],
		["SSH", [..."SSH-2.0-dropbear"].map((letter) => letter.charCodeAt(0))],
		["a first packet that is no CONNACK", [0x90, 3, 0, 1, 1]],
		["a length of five bytes", [...connack, 0x30, 0xff, 0xff, 0xff, 0xff, 0x01]],
		["what follows a good packet", [...connack, 0x00]],
	])("notices %s", (_name, bytes) => {
		expect(push(bytes)).toBe("what answers there is no MQTT broker");
	});

	test("leaves out a message over the limit that asks for no acknowledgement", () => {
		const long = [0x30, 0xe9, 0x07, ...new Array<number>(1001).fill(0x31)];
		const bytes = [...connack, ...long, ...publish, ...long, ...long, 0xd0, 0];
		const rest = [...connack, ...publish, 0xd0, 0];
		expect(feed(bytes)).toEqual({ passed: rest, complaint: undefined });
		expect(feed(...bytes.map((byte) => [byte]))).toEqual({ passed: rest, complaint: undefined });
		expect(skipped).toEqual(new Array(6).fill(1001));
	});

	test("does not wait for an endless packet of another kind", () => {
		expect(push(connack, [0x90, 0xe9, 0x07])).toBe("the broker sent 1001 bytes in one piece, more than 1000");
	});

	test.each([
		["a message of QoS 1", [0x32, 2, 0, 0], "the broker sent a message of QoS 1, which nobody asked for"],
		["a message of QoS 2", [0x34, 2, 0, 0], "the broker sent a message of QoS 2, which nobody asked for"],
		["PUBREL", [0x62, 2, 0, 1], "the broker sent PUBREL, which nobody asked for"],
		["PUBREC", [0x50, 2, 0, 1], "the broker sent PUBREC, which nobody asked for"],
		["PUBCOMP", [0x70, 2, 0, 1], "the broker sent PUBCOMP, which nobody asked for"],
		["another CONNACK", connack, "the broker sent CONNACK, which nobody asked for"],
		["DISCONNECT", [0xe0, 0], "the broker sent DISCONNECT, which nobody asked for"],
		["AUTH", [0xf0, 0], "the broker sent AUTH, which nobody asked for"],
		["SUBSCRIBE", [0x82, 2, 0, 1], "what answers there is no MQTT broker"],
	])("ends at %s", (_, bytes, complaint) => {
		expect(push(connack, bytes)).toBe(complaint);
	});

	test.each([0x33, 0x35])("a retained message of %i has the QoS that was asked for", (type) => {
		const bytes = [...connack, type, 9, 0, 3, 97, 47, 98, 0, 7, 104, 105, 0xd0, 0];
		const passed = [...connack, 0x31, 7, 0, 3, 97, 47, 98, 104, 105, 0xd0, 0];
		expect(feed(bytes)).toEqual({ passed, complaint: undefined });
		expect(feed(...bytes.map((byte) => [byte])).passed).toEqual(passed);
		const long = new Array<number>(300).fill(104);
		expect(feed([...connack, type, 0xb3, 2, 0, 3, 97, 47, 98, 0, 7, ...long]).passed).toEqual([
			...[...connack, 0x31, 0xb1, 2, 0, 3, 97, 47, 98],
			...long,
		]);
		expect(push(connack, [type, 3, 0, 3, 97])).toBe("what answers there is no MQTT broker");
		expect(push(connack, [type | 8, 9])).toMatch(/which nobody asked for$/);
	});

	test("has enough of thousands of messages at once, and takes as many again a while later", () => {
		const flood = new Array<number[]>(4000).fill([0x30, 2, 0, 0]).flat();
		expect(push([...connack, ...flood])).toBe(FLOOD);
		const some = flood.slice(0, 4 * 3900);
		now = 0;
		const guard = new PacketGuard(
			1000,
			0,
			() => now,
			() => {},
		);
		expect(guard.push(Uint8Array.from([...connack, ...some])).complaint).toBeUndefined();
		now = 120_000;
		expect(guard.push(Uint8Array.from(some)).complaint).toBeUndefined();
		expect(guard.push(Uint8Array.from(some)).complaint).toBe(FLOOD);
		expect(
			new PacketGuard(
				1000,
				4000,
				() => 0,
				() => {},
			).push(Uint8Array.from([...connack, ...flood])).complaint,
		).toBeUndefined();
	});
});
