import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { World } from "../../warden/model/world.ts";
import { type Daemon, startDaemon, type Warden } from "../daemon.ts";
import { type Lab, startLab } from "../lab.ts";
import { pause, until } from "../wait.ts";
import { canOwn, protection } from "../world.ts";

/** The same sequences on the model of test/warden/model and on a real router: in the end both are in the same state. */

const SEED = Number(process.env.SEED ?? 20_261_129);
const SEQUENCES = 5;

let lab: Lab;
let warden: Warden;
let daemon: Daemon;

const quiet = { allowFailure: true } as const;
const table = "inet custom_bgp";

/** A child of the daemon, by the beginning of its command line. */
function child(command: string): number | undefined {
	return lab.router.processes().find((pid) => {
		const line = lab.router.read(`/proc/${pid}/cmdline`)?.replaceAll("\0", " ") ?? "";
		return line.startsWith(command);
	});
}

function kill(command: string): void {
	const pid = child(command);
	if (pid !== undefined) lab.router.signalEach([pid], "SIGKILL");
}

/** What is done, to the model and to the router. */
const DEEDS = {
	delete: [
		(world: World) => world.touch("deleted"),
		async () => void (await lab.router.run(["nft", "delete", "table", ...table.split(" ")], quiet)),
	],
	change: [
		(world: World) => world.touch("changed"),
		async () =>
			void (await lab.router.run(
				["nft", "add", "rule", ...table.split(" "), "filter_input", "counter"],
				quiet,
			)),
	],
	"kill owner": [(world: World) => world.killOwner(), async () => kill("nft -e")],
	"kill monitor": [(world: World) => world.killMonitor(), async () => kill("nft monitor")],
	ensure: [(world: World) => world.command("ensure"), async () => void (await warden.cli(["ensure"]))],
	flush: [(world: World) => world.command("flush"), async () => void (await warden.cli(["flush"]))],
	release: [(world: World) => world.command("release"), async () => void (await warden.cli(["release"]))],
	"300 ms": [(world: World) => world.passes(300), () => pause(300)],
	"1500 ms": [(world: World) => world.passes(1500), () => pause(1500)],
} as const;

type Deed = keyof typeof DEEDS;

beforeAll(async () => {
	lab = await startLab();
	({ warden, daemon } = startDaemon(lab.router, { mqtt: { enabled: false } }));
	await daemon.untilStatus("the table", ({ router }) => router.protection !== "missing");
});

afterAll(() => lab.stop());

const names = Object.keys(DEEDS) as Deed[];
const sequences = fc.sample(fc.array(fc.constantFrom(...names), { minLength: 4, maxLength: 14 }), {
	seed: SEED,
	numRuns: SEQUENCES,
});

describe("a router and its model", () => {
	test.each(sequences.map((sequence) => [sequence.join(", "), sequence] as const))(
		"agree after: %s",
		async (_, sequence) => {
			const world = new World(canOwn);
			world.passes(5000);
			for (const deed of sequence) {
				const [model, real] = DEEDS[deed];
				model(world);
				world.passes(50);
				await real();
			}
			world.passes(30_000);
			const expected = {
				protection: world.status.router.protection,
				released: world.status.router.released ?? false,
			};
			const seen = async () => {
				const { code } = await lab.router.run(["nft", "list", "table", ...table.split(" ")], quiet);
				const { protection, released = false } = warden.status()?.router ?? {};
				return { there: code === 0, protection, released };
			};
			await until("the router to be as its model", seen, {
				holds: ({ there, ...said }) =>
					JSON.stringify(said) === JSON.stringify(expected) && there === (world.table === "ours"),
				timeout: 20_000,
			});
			expect(daemon.process.running).toBe(true);
			await warden.cli(["ensure"]);
			await daemon.untilStatus("its usual state", ({ router }) => router.protection === protection, {
				timeout: 20_000,
			});
		},
	);
});
