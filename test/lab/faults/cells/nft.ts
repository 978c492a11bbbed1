import type { Cell, Fault, LeftOut } from "../cell.ts";
import { wayFile } from "../mangle.ts";
import { GARBAGE } from "../parts.ts";
import { staleEntry } from "../probes.ts";
import { DIES_ONCE, inFront, killed, notInstalled, RELAY, SCRIPTS, stopped } from "./programs.ts";

/** nft for one question or one change: neither the monitor nor the owner. */
const once = { dependency: "nft", program: "nft", when: "-c|-f|-s|-a|list" } as const;
const both = ["installed", "owned"] as const;
/** Nothing can be put in place without nft. */
const cannot = { rests: ["repair"], refuses: ["ensure"] } as const;

const nft: readonly Cell[] = [
	notInstalled("nft", ["nft"], {
		...cannot,
		what: "no nft in PATH",
		modes: both,
		says: /cannot be installed: nft: not found/,
	}),
	inFront(once, "dies", DIES_ONCE, { ...cannot, what: "one call is killed" }),
	inFront(once, "dies in a loop", "kill -KILL $$", {
		...cannot,
		what: "each call is killed",
		modes: both,
		says: /nft.* ended by signal 9/,
	}),
	inFront(once, "hangs", SCRIPTS.hangs, {
		...cannot,
		what: "no call ends",
		modes: both,
		lasts: 7000,
		says: /nft.*no end after 5 s/,
	}),
	inFront(once, "stopped", SCRIPTS.stopped, { ...cannot, what: "each call is stopped" }),
	inFront({ ...once, when: "-s|-a|list" }, "garbage", SCRIPTS.garbage, {
		what: "listings are 300 kB at random",
		refuses: ["ensure"],
	}),
	inFront({ ...once, when: "-s|-a|list" }, "half", SCRIPTS.half, {
		what: "listings end in the middle",
		refuses: ["ensure"],
		modes: both,
	}),
	inFront({ ...once, when: "-s|-a|list" }, "10 MB", SCRIPTS["10 MB"], {
		what: "listings are a line of 10 MB",
		refuses: ["ensure"],
	}),
	inFront(once, "slow", SCRIPTS.slow, { what: "each call takes 0.3 s more", modes: both }),
	inFront(once, "exit 127", SCRIPTS["exit 127"], {
		...cannot,
		what: "each call ends with 127",
		says: /nft: not found/,
	}),
];

const watching = { dependency: "monitor", program: "nft", when: "monitor", child: /nft monitor$/ } as const;
const monitor: readonly Cell[] = [
	inFront(watching, "missing at start", SCRIPTS["exit 127"], {
		what: "nft has no monitor",
		atStart: true,
		says: /cannot watch the ruleset/,
	}),
	killed("monitor", watching.child, { what: "killed once", modes: both }),
	inFront(watching, "dies in a loop", SCRIPTS["dies in a loop"], {
		what: "ends at once, for 12 s",
		modes: both,
		lasts: 12_000,
		says: /cannot watch the ruleset.*no memory/,
	}),
	inFront(watching, "hangs", SCRIPTS.hangs, { what: "prints nothing", says: /nft monitor/ }),
	stopped("monitor", watching.child, { what: "SIGSTOP", modes: both }),
	inFront(watching, "garbage", `cat ${GARBAGE}; echo; exec $real monitor`, {
		what: "300 kB at random first",
		says: /nft monitor: cannot parse/,
	}),
	inFront(watching, "half", "echo 'delete table'; exec $real monitor", {
		what: "half a line first",
		says: /nft monitor: cannot parse/,
	}),
	inFront(watching, "10 MB", `${SCRIPTS["10 MB"]}; exec $real monitor`, {
		what: "a line of 10 MB first",
		says: /a line over 64 kB/,
	}),
	inFront(watching, "slow", `echo slow >${wayFile}; ${RELAY}`, {
		what: "tells all 0.5 s later",
		// It is a question of taste whether that is worth a word.
	}),
	inFront(watching, "exit 127", SCRIPTS["exit 127"], {
		what: "ends with 127",
		lasts: 3000,
		says: /cannot watch the ruleset/,
	}),
];

const owning = {
	dependency: "owner",
	program: "nft",
	when: "-e",
	child: /nft -e -f -$/,
} as const;
const owned = { modes: ["owned"] } as const;
const owner: readonly Cell[] = [
	inFront(owning, "missing at start", SCRIPTS["exit 127"], {
		...owned,
		what: "nft -e ends with 127",
		atStart: true,
		says: /the table is not owned/,
	}),
	killed("owner", owning.child, { ...owned, what: "killed once" }),
	inFront(owning, "dies in a loop", SCRIPTS["dies in a loop"], {
		...owned,
		what: "ends at once, for 25 s",
		lasts: 25_000,
		says: /the table is not owned/,
	}),
	inFront(owning, "hangs", SCRIPTS.hangs, {
		...owned,
		what: "neither commits nor ends",
		lasts: 7000,
		says: /no table after 500 ms|no end after 5 s/,
	}),
	inFront(owning, "hangs", 'sleep 1000 & exec $real "$@"', {
		...owned,
		what: "a child of its own keeps its stderr open",
		async also(world) {
			await world.signal(owning.child, "SIGKILL");
			return undefined;
		},
	}),
	stopped("owner", owning.child, { ...owned, what: "SIGSTOP" }),
	inFront(owning, "garbage", `cat ${GARBAGE} >&2; exec $real "$@"`, {
		...owned,
		what: "300 kB at random on stderr first",
	}),
	inFront(owning, "half", "exec $real -f -", {
		...owned,
		what: "commits and ends: nobody owns",
		says: /released the table|does not wait/,
	}),
	inFront(owning, "10 MB", `{ ${SCRIPTS["10 MB"]}; } >&2; exec $real "$@"`, {
		...owned,
		what: "10 MB on stderr first",
	}),
	inFront(owning, "slow", SCRIPTS.slow, { ...owned, what: "takes 0.3 s more" }),
	inFront(owning, "exit 127", SCRIPTS["exit 127"], {
		...owned,
		what: "ends with 127",
		says: /the table is not owned/,
	}),
];

const deleting = { dependency: "conntrack", program: "conntrack" } as const;
/** A stale entry has the program needed; the requests below find it. */
const entry = {
	refuses: ["flush"],
	async restored(world) {
		const { stdout } = await world.shell("/opt/lab/conntrack -L -p tcp --dport 179 2>/dev/null || true");
		return stdout.includes("dport=179") ? "the stale entry is there still" : undefined;
	},
} satisfies Partial<Cell>;

/** The same fault, with an entry to be deleted. */
function withEntry(cell: Cell): Cell {
	return {
		...cell,
		...entry,
		async begin(world) {
			await cell.begin(world);
			await staleEntry(world);
		},
	};
}

const faults: readonly (readonly [Fault, string, string, RegExp?])[] = [
	["dies", DIES_ONCE, "one call is killed"],
	["dies in a loop", "kill -KILL $$", "each call is killed", /conntrack.* ended by signal 9/],
	["hangs", SCRIPTS.hangs, "no call ends", /conntrack.*no end after 5 s/],
	["stopped", SCRIPTS.stopped, "each call is stopped", /conntrack.*no end after 5 s/],
	["garbage", SCRIPTS.garbage, "prints 300 kB at random"],
	["half", SCRIPTS.half, "prints half of what it has deleted"],
	["10 MB", SCRIPTS["10 MB"], "prints a line of 10 MB"],
	["slow", SCRIPTS.slow, "each call takes 0.3 s more"],
	["exit 127", SCRIPTS["exit 127"], "each call ends with 127", /conntrack: not found/],
];
const conntrack: readonly Cell[] = [
	withEntry(
		notInstalled("conntrack", ["conntrack"], {
			what: "no conntrack in PATH",
			says: /conntrack: not found/,
		}),
	),
	...faults.map(([fault, script, what, says]) =>
		withEntry(
			inFront(deleting, fault, script, {
				what,
				...(says ? { says } : {}),
			}),
		),
	),
];

export const nftCells: readonly Cell[] = [...nft, ...monitor, ...owner, ...conntrack];
export const nftLeftOut: readonly LeftOut[] = (["nft", "monitor", "owner", "conntrack"] as const).map(
	(dependency) => ({
		dependency,
		faults: ["full", "read-only"],
		why: "a program is neither full nor read-only; a disk is",
	}),
);
