import { describe, expect, test } from "vitest";
import type { MqttConfig } from "../../../src/model/config.ts";
import { PacketGuard } from "../../../src/report/mqtt/packets.ts";
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
	const feed = (...chunks: number[][]) => {
		const guard = new PacketGuard(1000, (bytes) => skipped.push(bytes));
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

	test("leaves out a message over the limit that asks for no acknowledgement", () => {
		const long = [0x30, 0xe9, 0x07, ...new Array<number>(1001).fill(0x31)];
		const bytes = [...connack, ...long, ...publish, ...long, ...long, 0xd0, 0];
		const rest = [...connack, ...publish, 0xd0, 0];
		expect(feed(bytes)).toEqual({ passed: rest, complaint: undefined });
		expect(feed(...bytes.map((byte) => [byte]))).toEqual({ passed: rest, complaint: undefined });
		expect(skipped).toEqual(new Array(6).fill(1001));
	});

	test("does not wait for one that wants to be acknowledged, or for an endless packet of another kind", () => {
		const complaint = "the broker sent 1001 bytes in one piece, more than 1000";
		expect(push(connack, [0x32, 0xe9, 0x07])).toBe(complaint);
		expect(push(connack, [0x90, 0xe9, 0x07])).toBe(complaint);
	});
});
