import { beforeEach, describe, expect, it } from "vitest";
import type { TableForm } from "../../../src/model/table.ts";
import { createNft } from "../../../src/system/nft/nft.ts";
import { type Applied, createProtection, type Protection } from "../../../src/system/nft/protection.ts";
import { renderTable, withMark } from "../../../src/system/nft/table-text.ts";
import { type FakeChild, FakePlatform } from "../../fakes/platform.ts";

const TABLE = "custom_bgp";
const NOT_PERMITTED = "/dev/stdin:1:1-13: Error: Could not process rule: Operation not permitted";
const NOT_SUPPORTED = "/dev/stdin:1:1-13: Error: Could not process rule: Operation not supported";

let platform: FakePlatform;
/** What the kernel has under the table's name, as far as ownership goes; measured on Linux 6.18 with nft 1.1.3. */
let kernel: "nothing" | "plain" | "orphan" | { owner: FakeChild };
/** Whether kernel and nft know `owner` and `persist`. */
let capable: boolean;
/** Whether an nft that echoes waits in the full pipe. */
let waits: boolean;
/** Milliseconds until the kernel answers an nft that echoes. */
let answersAfter: number;
let told: string[];
let losses: string[];
let protection: Protection;

/** nft with a kernel behind it. */
function nft(child: FakeChild): void {
	const [, ...args] = child.argv;
	if (args.includes("list")) list(child);
	else
		child.onStdinEnd(() => {
			const answer = () => {
				const complaint = carryOut(child, args.includes("-c"));
				if (complaint !== "") refuse(child, complaint);
			};
			if (answersAfter > 0 && args.includes("-e")) platform.after(answersAfter, answer);
			else answer();
		});
}

function list(child: FakeChild): void {
	if (kernel === "nothing") {
		refuse(child, "Error: No such file or directory");
		return;
	}
	const flags = kernel === "orphan" ? "persist" : "owner,persist";
	const [comment = ""] = (typeof kernel === "object" && /comment ".*"/.exec(kernel.owner.written)) || [];
	child.out(
		`table inet ${TABLE} {\n${kernel === "plain" ? "" : `\tflags ${flags}\n\n`}\tchain raw_pre {\n\t\t${comment}\n\t}\n}\n`,
	);
	child.end(0);
}

/** @returns what nft complains of, or nothing */
function carryOut(child: FakeChild, onlyCheck: boolean): string {
	const text = child.written;
	const owned = text.includes("flags owner, persist;");
	if (owned && !capable) return "Error: unknown table option persist";
	if (!onlyCheck) {
		if (typeof kernel === "object" && !kernel.owner.ended) return NOT_PERMITTED;
		if (typeof kernel === "object") kernel = "orphan";
		if (kernel === "orphan" && text.startsWith("table inet")) return NOT_SUPPORTED;
		kernel = owned ? { owner: child } : "plain";
	}
	if (onlyCheck || !owned || !waits) child.end(0);
	return "";
}

function refuse(child: FakeChild, complaint: string): void {
	child.err(`${complaint}\n`);
	child.end(1);
}

const render = (form: TableForm) => {
	const spec = {
		...({ table: TABLE, scope: "any", forwarded: false } as const),
		...({ bypassMark: "keep", routeMark: "keep", addresses: [], ports: [179] } as const),
	};
	return withMark(renderTable(spec, form), "0123abcd");
};

async function outcome<Result>(promise: Promise<Result>, milliseconds = 200): Promise<Result> {
	let result: Result | undefined;
	promise.then((value) => {
		result = value;
	});
	await platform.settle();
	for (let passed = 0; passed < milliseconds && result === undefined; passed += 10) {
		platform.advance(10);
		await platform.settle();
	}
	if (result === undefined) throw new Error("no result");
	return result;
}

const apply = (): Promise<Applied> => outcome(protection.apply({ table: TABLE, render }));

function start(own = true): void {
	protection = createProtection(platform, createNft(platform), {
		own,
		onLost: (reason) => losses.push(reason),
		onInfo: (text) => told.push(text),
	});
	protection.prepare();
}

/** The flags of the kernel's table. */
function state(): string {
	if (typeof kernel !== "object") return kernel;
	return kernel.owner.ended ? "orphan" : "owned";
}

beforeEach(() => {
	platform = new FakePlatform();
	platform.program("nft", nft);
	kernel = "nothing";
	capable = true;
	waits = true;
	answersAfter = 0;
	told = [];
	losses = [];
});

const owned = { ok: true, mode: "owned" };
const installed = { ok: true, mode: "installed" };

describe("a kernel and an nft that can", () => {
	it.each(["nothing", "plain", "orphan"] as const)("own the table in place of %s", async (before) => {
		kernel = before;
		start();
		expect(await apply()).toEqual(owned);
		expect(state()).toBe("owned");
		expect(platform.running("nft").map(({ argv }) => argv.join(" "))).toEqual(["nft -e -f -"]);
		expect({ told, losses }).toEqual({ told: [], losses: [] });
	});

	it("are not asked for it with `protect '0'`", async () => {
		start(false);
		expect(await apply()).toEqual(installed);
		expect(state()).toBe("plain");
		expect(platform.running("nft")).toEqual([]);
	});

	it("the transaction is known from the monitor at once, and from the listing a little later", async () => {
		start();
		const applied = protection.apply({ table: TABLE, render });
		await platform.settle();
		const owner = platform.running("nft")[0];
		protection.confirm(owner?.pid ?? 0);
		expect(await outcome(applied, 0)).toEqual(owned);
		expect(platform.children.some(({ argv }) => argv.includes("list"))).toBe(false);
		await apply();
		expect(platform.children.some(({ argv }) => argv.includes("list"))).toBe(true);
	});

	it("one owner follows the other, which has ended before", async () => {
		start();
		await apply();
		const [first] = platform.running("nft");
		expect(await apply()).toEqual(owned);
		expect(first?.signals).toEqual(["SIGKILL"]);
		expect(platform.running("nft")).toHaveLength(1);
		expect(losses).toEqual([]);
	});

	it("a killed owner is told, and the next one takes the table over", async () => {
		start();
		await apply();
		platform.running("nft")[0]?.kill("SIGKILL");
		await platform.settle();
		expect(losses).toEqual(["nft -e -f -: ended by signal 9"]);
		expect(state()).toBe("orphan");
		expect(await apply()).toEqual(owned);
	});

	it("release leaves a plain table, which names nobody's flags", async () => {
		start();
		await apply();
		expect(await outcome(protection.release())).toEqual({ ok: true });
		expect(state()).toBe("plain");
		expect(losses).toEqual([]);
		const children = platform.children.length;
		expect(await outcome(protection.release())).toEqual({ ok: true });
		expect(platform.children).toHaveLength(children);
	});

	it("`protect` can be switched off and on", async () => {
		start();
		await apply();
		protection.configure(false);
		expect(await apply()).toEqual(installed);
		expect(state()).toBe("plain");
		protection.configure(true);
		expect(await apply()).toEqual(owned);
	});

	it("is not taken for owned because another process owns it, however late the kernel answers", async () => {
		platform.program("stranger", () => {});
		kernel = { owner: platform.spawn({ argv: ["stranger"], onExit: () => {} }) as FakeChild };
		answersAfter = 150;
		start();
		expect(await apply()).toMatchObject({ ok: false, cause: "held" });
		expect(platform.children.filter(({ argv }) => argv.includes("list")).length).toBeGreaterThan(0);
		expect(losses).toEqual([]);

		(kernel as { owner: FakeChild }).owner.end(0);
		expect(await outcome(protection.apply({ table: TABLE, render }), 600)).toEqual(owned);
	});

	it("a table that another process owns is no reason to do without", async () => {
		platform.program("stranger", () => {});
		const stranger = platform.spawn({ argv: ["stranger"], onExit: () => {} });
		kernel = { owner: stranger };
		start();
		const refused = await apply();
		expect(refused).toMatchObject({ ok: false, cause: "held" });
		expect(refused).toHaveProperty("reason", expect.stringContaining("does another program own this table?"));
		stranger.end(0);
		expect(await apply()).toEqual(owned);
	});
});

describe("where it is not possible", () => {
	it("the table is installed, and the reason told once", async () => {
		capable = false;
		start();
		for (let round = 0; round < 3; round++) expect(await apply()).toEqual(installed);
		expect(state()).toBe("plain");
		expect(told).toEqual([
			"the table is not owned: kernel or nft cannot: nft -c -f -: exit 1: Error: unknown table option persist",
		]);
		const tries = platform.children.filter(({ written }) => written.includes("owner"));
		expect(tries.map(({ argv }) => argv.join(" "))).toEqual(["nft -c -f -"]);
	});

	it("the try never makes a table", async () => {
		start();
		await platform.settle();
		expect(kernel).toBe("nothing");
		expect(platform.children.map(({ argv }) => argv.join(" "))).toEqual(["nft -c -f -"]);
	});

	it("an nft that does not wait is tried with pauses, in case the pipe was not full, in the end every five minutes", async () => {
		waits = false;
		start();
		for (let round = 1; round <= 13; round++) {
			for (let again = 0; again < 3; again++) expect(await apply()).toEqual(installed);
			expect(state()).toBe("plain");
			expect(losses).toHaveLength(round - 1);
			platform.advance(round < 13 ? 7000 : 299_000);
		}
		expect(losses).toHaveLength(12);
		platform.advance(1000);
		expect(losses).toHaveLength(13);
		expect(platform.children.filter(({ argv }) => argv.includes("-e"))).toHaveLength(13);
		expect(told).toEqual([
			"the table is not owned: kernel or nft cannot: nft -e -f - does not wait for a reader",
		]);
		expect(platform.pendingTimers).toBe(0);
	});

	it("an nft that could not be run at first owns the table seven seconds later", async () => {
		platform.program("nft", (child) => (child.argv.includes("-c") ? child.end(126) : nft(child)));
		start();
		expect(await apply()).toEqual(installed);
		platform.program("nft", nft);
		platform.advance(7000);
		expect(losses).toEqual(["nft -c -f -: exit 126"]);
		expect(await apply()).toEqual(owned);
		expect(platform.pendingTimers).toBe(0);
	});

	it("an nft that is missing is looked for again", async () => {
		platform.program("nft", undefined);
		start();
		expect(await apply()).toMatchObject({ ok: false, reason: "nft: not found" });
		platform.program("nft", nft);
		expect(await apply()).toEqual(owned);
	});

	it("with `protect '0'` a table that a killed owner has left is replaced all the same", async () => {
		kernel = "orphan";
		start(false);
		expect(await apply()).toEqual(installed);
		expect(state()).toBe("plain");
	});
});

it("a table that is not to be owned now loses its owner and stays, until it may be owned again", async () => {
	start();
	expect(await apply()).toEqual(owned);
	const [owner] = platform.running("nft");
	expect(await outcome(protection.apply({ table: TABLE, render, own: false }))).toEqual(installed);
	expect(owner?.signals).toEqual(["SIGKILL"]);
	expect(state()).toBe("plain");
	expect({ told, losses }).toEqual({ told: [], losses: [] });
	// In one transaction
	expect(platform.children.slice(-1)[0]?.written).toMatch(/^destroy table inet custom_bgp\n/);
	expect(platform.children.filter(({ argv }) => argv.join(" ") === "nft -f -")).toHaveLength(1);
	expect(await apply()).toEqual(owned);
});
