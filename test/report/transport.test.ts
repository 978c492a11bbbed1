import { describe, expect, test } from "vitest";
import { PacketGuard } from "../../src/report/mqtt/packets.ts";
import { endReason, transportCommand } from "../../src/report/mqtt/transport.ts";
import { mqttConfig } from "./broker.ts";

describe("transportCommand", () => {
	test("is nc without TLS", () => {
		expect(transportCommand(mqttConfig(1883, { host: "192.168.1.10" }))).toEqual([
			"nc",
			"192.168.1.10",
			"1883",
		]);
	});

	test("is openssl s_client with the name verified", () => {
		const config = mqttConfig(8883, { host: "broker.lan", tls: true, caFile: "/ca", certFile: "/c" });
		const command = transportCommand({ ...config, keyFile: "/k" }).join(" ");
		expect(command).toContain("s_client -quiet -nocommands");
		expect(command).toContain("-verify_return_error -connect broker.lan:8883");
		expect(command).toContain("-servername broker.lan -verify_hostname broker.lan");
		expect(command).toContain("-CAfile /ca -cert /c -key /k");
	});

	test.each([
		["192.168.1.10", "-connect 192.168.1.10:8883"],
		["fd00::1", "-connect [fd00::1]:8883"],
	])("verifies the address %s instead of a name", (host, connect) => {
		const command = transportCommand(mqttConfig(8883, { host, tls: true })).join(" ");
		expect(command).toContain(connect);
		expect(command).toContain(`-noservername -verify_ip ${host}`);
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
	const push = (...chunks: number[][]) => {
		const guard = new PacketGuard(1000);
		return chunks.map((chunk) => guard.push(Uint8Array.from(chunk))).find(Boolean);
	};
	const connack = [0x20, 2, 0, 0];
	/** A PUBLISH of 200 bytes after its header. */
	const publish = [0x30, 0xc8, 0x01, ...new Array<number>(200).fill(0xff)];

	test("lets packets pass, cut anywhere", () => {
		const bytes = [...connack, ...publish, 0xd0, 0, ...connack];
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

	test("notices a message over the limit at its header", () => {
		expect(push(connack, [0x30, 0xe9, 0x07])).toBe("the broker sent a message of 1001 bytes, more than 1000");
	});
});
