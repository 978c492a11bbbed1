import { afterEach, beforeEach, expect, test } from "vitest";
import { repairing } from "../../daemon.ts";
import { type Lab, startLab } from "../../lab.ts";
import { attack, fw4Table, hostileChanges, total, watchTracked } from "../../programs.ts";
import { establish, flapsSoFar, sessionMark, settledMark, tableListing } from "../../session.ts";
import { until } from "../../wait.ts";
import { canOwn } from "../../world.ts";

/** How many changes each mode meets; `make test-hostile` makes it 10,000. */
const changes = Number(process.env.HOSTILE ?? 100);
/** After this many at once without a pause, an installed table has to be as it was. */
const wave = 200;

let lab: Lab;
beforeEach(async () => {
	lab = await startLab();
	await lab.router.nft(fw4Table);
});
afterEach(() => lab.stop());

const told = (text: string) => process.stderr.write(`hostile: ${text}\n`);

// Where nothing can own a table, every router has the second.
if (canOwn)
	test(`${changes} hostile changes against an owned table: none takes effect`, {
		timeout: 400_000,
	}, async () => {
		const session = await establish(lab);
		await session.daemon.untilStatus("owned", ({ router }) => router.protection === "owned");
		const raw = async () =>
			(await lab.router.run(["nft", "-s", "-a", "list", "table", "inet", "custom_bgp"])).stdout;
		const before = await raw();
		const mark = await settledMark(session);
		const flaps = await flapsSoFar(session.daemon);
		const tracked = await watchTracked(lab.router, 179);
		const touched: string[] = [];
		const eye = lab.router.start(["stdbuf", "-oL", "nft", "monitor"], {
			name: "nft monitor",
			onLine: (line) => {
				if (/^\w+ \w+ inet custom_bgp\b/.test(line)) touched.push(line);
			},
		});
		await until("the eye to see", async () => {
			await lab.router.nft("table inet other\ndelete table inet other\n");
			return eye.lines.some((line) => line.includes("inet other"));
		});

		const start = performance.now();
		const { accepted, refused } = await attack(lab.router, changes);
		const seconds = (performance.now() - start) / 1000;
		await until("the eye to have seen all", async () => {
			await lab.router.nft("table inet last\ndelete table inet last\n");
			return eye.lines.some((line) => line.includes("inet last"));
		});

		told(`owned: ${changes} changes in ${seconds.toFixed(0)} s, ${touched.length} took effect`);
		expect(touched).toEqual([]);
		expect(total(accepted) + total(refused)).toBe(changes);
		// This one always succeeds, and leaves the table out.
		expect(Object.keys(accepted)).toEqual(["flush ruleset"]);
		expect(Object.keys(refused)).toHaveLength(Object.keys(hostileChanges).length - 1);
		expect(await raw()).toBe(before);
		expect(await sessionMark(session)).toBe(mark);
		expect(tracked.process.running).toBe(true);
		expect(tracked.lines).toEqual([]);
		expect(session.warden.status()).toMatchObject({
			router: { protection: "owned", repairs: 0 },
			peers: [{ state: "Established", flaps }],
		});
	});

test(`${changes} hostile changes against an installed table: every one is repaired`, {
	timeout: 400_000,
}, async () => {
	const session = await establish(lab, canOwn ? { main: repairing } : {});
	const before = await tableListing(lab.router);
	expect(before).toContain("chain raw_out");
	const start = performance.now();
	let done = 0;
	for (let made = 0; made < changes; made += wave) {
		const { accepted } = await attack(lab.router, Math.min(wave, changes - made));
		done += total(accepted);
		await until(`the table after ${made + wave} changes`, () => tableListing(lab.router), {
			holds: (now) => now === before,
			every: 100,
		});
	}
	const seconds = (performance.now() - start) / 1000;
	const { router } = await session.daemon.untilStatus(
		"peace",
		({ router }) =>
			router.problem === undefined && router.protection === "installed" && router.repairs >= changes / wave,
		{ timeout: 15_000 },
	);
	told(`installed: ${done} of ${changes} changes in ${seconds.toFixed(0)} s, ${router.repairs} repairs`);
	expect(done).toBeGreaterThan(changes / 4);
	expect(await tableListing(lab.router)).toBe(before);
});
