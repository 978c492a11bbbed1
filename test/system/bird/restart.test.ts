import { readFileSync } from "node:fs";
import { beforeEach, describe, expect, it } from "vitest";
import { runToEnd } from "../../../src/platform/supervise.ts";
import { type RestartResult, restartPeer } from "../../../src/system/bird/restart.ts";
import { FakePlatform, type Script } from "../../fakes/platform.ts";
import { VERSIONS } from "./transcript.ts";

const SOCKET = "/run/bird/bird.ctl";

let platform: FakePlatform;

function captured(name: string): string {
	return readFileSync(new URL(`../../fixtures/bird/${name}.txt`, import.meta.url), "utf8");
}

function prints(text: string, code: number): Script {
	return (child) => {
		child.out(text);
		child.end(code);
	};
}

async function restart(
	peer: string,
	milliseconds = 0,
	verb: "restart" | "enable" = "restart",
): Promise<RestartResult> {
	let result: RestartResult | undefined;
	void restartPeer(platform, { socket: "", peer, verb }).then((value) => {
		result = value;
	});
	await platform.settle();
	platform.advance(milliseconds);
	await platform.settle();
	if (!result) throw new Error("no result");
	return result;
}

beforeEach(() => {
	platform = new FakePlatform();
	platform.files.setSocket(SOCKET);
});

describe("restartPeer", () => {
	it.each(VERSIONS.flatMap((version) => ["nobody", "link-local.6"].map((peer) => [version, peer] as const)))(
		"has BIRD %s restart %s",
		async (version, peer) => {
			platform.program("birdcl", prints(captured(`bird-${version}-restart-${peer}`), 0));
			expect(await restart(peer)).toEqual({ ok: true });
			expect(platform.children.map((child) => child.argv)).toEqual([
				["birdcl", "-v", "-s", SOCKET, "restart", `"${peer}"`],
			]);
			expect(platform.pendingTimers).toBe(0);
		},
	);

	it("does not restart whom nobody wants restarted any more when its turn comes", async () => {
		let hurry = () => {};
		platform.program("slow", (child) => {
			hurry = () => child.end(0);
		});
		platform.program("birdcl", prints("", 0));
		let up = false;
		for (let each = 0; each < 2; each++) void runToEnd(platform, ["slow"], { timeout: 60_000 });
		const result = restartPeer(platform, { socket: "", peer: "a", verb: "restart", isWanted: () => !up });
		const other = restartPeer(platform, { socket: "", peer: "b", verb: "restart" });
		await platform.settle();
		up = true;
		hurry();
		await platform.settle();
		expect(await result).toEqual({ ok: false, reason: "it has come up meanwhile" });
		await other;
		const restarted = platform.children.map(({ argv }) => argv.at(-1));
		expect(restarted).toContain('"b"');
		expect(restarted).not.toContain('"a"');
	});

	describe.each(VERSIONS)("on BIRD %s", (version) => {
		it.each([
			["unwanted", 0, "unwanted: already disabled"],
			["absent", 1, "No protocols match"],
			["all", 1, "No protocols match"],
		])("repeats BIRD's words about %s", async (peer, code, reason) => {
			platform.program("birdcl", prints(captured(`bird-${version}-restart-${peer}`), code));
			expect(await restart(peer)).toEqual({ ok: false, reason });
		});
	});

	it("uses birdc where there is no birdcl", async () => {
		platform.program("birdc", prints(captured("bird-3.1.8-restart-nobody"), 0));
		expect(await restart("nobody")).toEqual({ ok: true });
		platform.program("birdc", undefined);
		expect(await restart("nobody")).toEqual({ ok: false, reason: "neither birdcl nor birdc can be run" });
	});

	it.each(["", "a b", "x'; restart all", "a\nb", '"*"', "\u00e9", "a".repeat(65)])(
		"starts nothing for %j, which no peer is called",
		async (peer) => {
			expect(await restart(peer)).toMatchObject({ ok: false });
			expect(platform.children).toHaveLength(0);
		},
	);

	it("gives up after 5 s", async () => {
		platform.program("birdcl", () => {});
		expect(await restart("nobody", 5000)).toEqual({
			ok: false,
			reason: "birdcl restart nobody: no answer in 5 s",
		});
		expect(platform.running("birdcl")).toHaveLength(0);
	});

	it("says so when BIRD does not run", async () => {
		platform.program("birdcl", (child) => {
			child.err("Unable to connect to server control socket (/run/bird/bird.ctl): Connection refused\n");
			child.end(1);
		});
		expect(await restart("nobody")).toMatchObject({ reason: expect.stringContaining("Connection refused") });
		platform.files.remove(SOCKET);
		expect(await restart("nobody")).toMatchObject({ reason: expect.stringContaining("BIRD does not run") });
	});

	it.each(["", "garbage\n", "0001 BIRD 3.1.8 ready.\n", "0001 BIRD 3.1.8 ready.\n0012-half"])(
		"takes %j for no success",
		async (text) => {
			platform.program("birdcl", prints(text, 0));
			expect(await restart("nobody")).toEqual({ ok: false, reason: "birdcl restart nobody: exit 0" });
		},
	);

	it.each([
		["0011-nobody: enabled", { ok: true }],
		// Somebody else was faster: it is as it was wanted.
		["0010-nobody: already enabled", { ok: true }],
		["0012-nobody: restarted", { ok: false, reason: "nobody: restarted" }],
		["8003 No protocols match", { ok: false, reason: "No protocols match" }],
	])("takes %j for the answer to enable", async (answer, result) => {
		platform.program("birdcl", prints(`0001 BIRD 3.1.8 ready.\n${answer}\n`, 0));
		expect(await restart("nobody", 0, "enable")).toEqual(result);
		expect(platform.children[0]?.argv.slice(-2)).toEqual(["enable", '"nobody"']);
	});

	it.each(["0010-nobody: already enabled", "0011-nobody: enabled"])(
		"is not restarted by %j",
		async (answer) => {
			platform.program("birdcl", prints(`0001 BIRD 3.1.8 ready.\n${answer}\n`, 0));
			expect(await restart("nobody")).toMatchObject({ ok: false });
		},
	);
});
