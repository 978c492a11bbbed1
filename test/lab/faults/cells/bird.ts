import { birdSocket } from "../../programs.ts";
import { pause } from "../../wait.ts";
import type { Cell, Fault, LeftOut } from "../cell.ts";
import { mangle, WAYS, wayFile } from "../mangle.ts";
import type { World } from "../world.ts";
import { inFront, killed, notInstalled, RELAY, resting, SCRIPTS, stopped } from "./programs.ts";

const client = /birdcl? -v -r /;
const asking = { dependency: "birdcl", program: "birdcl", when: "-v", child: client } as const;
const blind = resting("peers");

/** BIRD answers through a relay, which spoils the answers as long as the fault lasts. */
function spoiled(fault: keyof typeof WAYS, more: Partial<Cell> & { readonly what: string }): Cell {
	return {
		dependency: "birdcl",
		fault,
		prepare: (world) => world.fake("birdcl", RELAY, "-v"),
		tidy: (world) => world.unfake("birdcl"),
		begin: (world) => world.spoil(WAYS[fault]),
		end: (world) => world.spoil(undefined),
		...(fault === "slow" ? {} : blind),
		...more,
	};
}

const birdcl: readonly Cell[] = [
	notInstalled("birdcl", ["birdcl", "birdc"], {
		...blind,
		what: "neither birdcl nor birdc in PATH",
		says: /neither birdcl nor birdc can be run/,
	}),
	killed("birdcl", client, { what: "killed once" }),
	inFront(asking, "dies in a loop", SCRIPTS["dies in a loop"], {
		...blind,
		what: "ends at once, for 16 s",
		lasts: 16_000,
		says: /cannot query BIRD: birdcl: no memory/,
	}),
	spoiled("hangs", { what: "answers nothing", says: /birdcl: no answer in 3 s/ }),
	inFront(asking, "hangs", SCRIPTS.hangs, {
		...blind,
		what: "does not even greet, for 16 s",
		lasts: 16_000,
		says: /birdcl: no answer in 3 s/,
	}),
	stopped("birdcl", client, { ...blind, what: "SIGSTOP", says: /birdcl: no answer in 3 s/ }),
	spoiled("garbage", { what: "answers rubbish", says: /cannot query BIRD/ }),
	spoiled("half", { what: "half of an answer, and the end", says: /cannot query BIRD/ }),
	spoiled("10 MB", { what: "answers of 10 MB", says: /cannot query BIRD/ }),
	spoiled("slow", { what: "each answer comes 0.5 s late" }),
	inFront(asking, "exit 127", SCRIPTS["exit 127"], { what: "ends with 127: birdc takes over" }),
];

async function restart(world: World): Promise<void> {
	if (!world.bird.process.running) world.bird = await world.startBird();
}
const gone = { ...blind, says: /bird-down|cannot query BIRD/ };

/** A relay in the place of BIRD's socket, whose answers are spoiled; the daemon's client is made to meet it. */
function socket(fault: keyof typeof WAYS, what: string): Cell {
	const moved = `${birdSocket}.moved`;
	return {
		dependency: "BIRD",
		fault,
		what,
		async begin(world) {
			await world.spoil(WAYS[fault]);
			await world.shell(`mv ${birdSocket} ${moved}`);
			const argv = [mangle, wayFile, "listen", birdSocket, "connect", moved];
			const process = world.router.start(argv, { name: "relay" });
			await process.says(/^listening$/);
			world.router.signalEach(world.child(client), "SIGKILL");
		},
		async end(world) {
			await world.spoil(undefined);
			await world.shell(`[ ! -e ${moved} ] || mv ${moved} ${birdSocket}`);
			// Its socket is gone: whoever is connected is not.
			const isRelay = (pid: number) => world.router.read(`/proc/${pid}/cmdline`)?.includes(`${moved}\0`);
			world.router.signalEach(world.router.processes().filter(isRelay), "SIGKILL");
		},
		...(fault === "slow" ? {} : gone),
	};
}

const bird: readonly Cell[] = [
	{
		dependency: "BIRD",
		fault: "missing at start",
		what: "BIRD does not run",
		atStart: true,
		begin: (world) => world.bird.stop(),
		end: restart,
		...gone,
	},
	{
		dependency: "BIRD",
		fault: "dies",
		what: "killed, and started 4 s later",
		lasts: 4000,
		modes: ["installed", "owned"],
		begin: (world) => world.bird.crash(),
		end: restart,
		...gone,
	},
	{
		dependency: "BIRD",
		fault: "dies in a loop",
		what: "killed and started six times",
		async begin(world) {
			for (let round = 0; round < 6; round++) {
				await world.bird.crash();
				await restart(world);
				await pause(round * 300);
			}
			await world.bird.crash();
		},
		end: restart,
		...gone,
		// Each time BIRD goes, comes, and so does the peer.
		bounds: { lines: 40 },
	},
	socket("hangs", "its socket takes questions and answers none"),
	{
		dependency: "BIRD",
		fault: "stopped",
		what: "SIGSTOP",
		begin: async (world) => world.bird.process.kill("SIGSTOP"),
		end: async (world) => world.continueAll(),
		...gone,
	},
	socket("garbage", "its socket answers rubbish"),
	socket("half", "half of an answer, and the end"),
	socket("10 MB", "10 MB on its socket"),
	socket("slow", "each answer comes 0.5 s late"),
];

const none: readonly Fault[] = ["full", "read-only"];
export const birdCells: readonly Cell[] = [...birdcl, ...bird];
export const birdLeftOut: readonly LeftOut[] = [
	{ dependency: "birdcl", faults: none, why: "a program is neither full nor read-only; a disk is" },
	{ dependency: "BIRD", faults: none, why: "the daemon writes nothing into BIRD" },
	{ dependency: "BIRD", faults: ["exit 127"], why: "the daemon does not start BIRD" },
];
