/**
 * Signs as OpenWrt's usign does (the format of OpenBSD's signify): Ed25519 over the file, base64 of `Ed`, the key's
 * eight-byte number, and the key or signature, below a comment line.
 */

import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, sign } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

const text = (comment, ...parts) =>
	`untrusted comment: ${comment}\n${Buffer.concat(parts).toString("base64")}\n`;

/**
 * @param {string} path of an Ed25519 key in PEM; made when it is not there
 * @returns {{ publicKey: string, number: string, sign(data: Buffer): string }} the public key's file, the name that opkg
 *   wants it to have in /etc/opkg/keys, and signatures' files
 */
export function openKey(path) {
	if (!existsSync(path)) {
		mkdirSync(dirname(path), { recursive: true });
		const { privateKey } = generateKeyPairSync("ed25519");
		writeFileSync(path, privateKey.export({ type: "pkcs8", format: "pem" }), { mode: 0o600 });
	}
	const key = createPrivateKey(readFileSync(path));
	const raw = Buffer.from(createPublicKey(key).export({ format: "jwk" }).x, "base64url");
	// Any number will do; usign draws it.
	const number = createHash("sha256").update(raw).digest().subarray(0, 8);
	const algorithm = Buffer.from("Ed");
	return {
		number: number.toString("hex"),
		publicKey: text("bgpwarden feed", algorithm, number, raw),
		sign: (data) => text(`signed by key ${number.toString("hex")}`, algorithm, number, sign(null, data, key)),
	};
}
