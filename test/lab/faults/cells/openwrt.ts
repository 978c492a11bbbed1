import { capturedChanges } from "../../programs.ts";
import { until } from "../../wait.ts";
import type { Cell, Fault, LeftOut } from "../cell.ts";
import { GARBAGE } from "../parts.ts";
import type { World } from "../world.ts";
import { DIES_ONCE, inFront, notInstalled, SCRIPTS } from "./programs.ts";

/** The session is down, so that the daemon asks `ip` about the peer's route. */
function whileDown(cell: Cell): Cell {
	return {
		...cell,
		rests: ["peers"],
		async begin(world) {
			await cell.begin(world);
			await world.speaker.control("disable up");
		},
		async also(world) {
			await world.daemon.untilStatus(
				"the peer is down",
				({ peers: [peer] }) => peer?.state !== "Established",
			);
			return undefined;
		},
		async end(world) {
			await cell.end(world);
			await world.speaker.control("enable up");
		},
	};
}

const asking = { dependency: "ip", program: "ip" } as const;
const ipFaults: readonly (readonly [Fault, string, string])[] = [
	["dies", DIES_ONCE, "one call is killed"],
	["dies in a loop", "kill -KILL $$", "each call is killed"],
	["hangs", SCRIPTS.hangs, "no call ends"],
	["stopped", SCRIPTS.stopped, "each call is stopped"],
	["garbage", SCRIPTS.garbage, "prints 300 kB at random"],
	["half", SCRIPTS.half, "prints half of its answer"],
	["10 MB", SCRIPTS["10 MB"], "prints a line of 10 MB"],
	["slow", SCRIPTS.slow, "each call takes 0.3 s more"],
	["exit 127", SCRIPTS["exit 127"], "each call ends with 127"],
];
const ip: readonly Cell[] = [
	whileDown(notInstalled("ip", ["ip"], { what: "no ip in PATH" })),
	...ipFaults.map(([fault, script, what]) => whileDown(inFront(asking, fault, script, { what }))),
];

/** procd's subscribers hear of a service's restart, and the daemon reports it. */
async function heard(world: World): Promise<string | undefined> {
	const restarts = () =>
		world.warden.events().filter(({ event_type }) => event_type === "service_restarted").length;
	const before = restarts();
	await world.bus?.changes(capturedChanges("tailscale", 6).slice(2));
	// A restart is reported a second after its last change.
	return until("a restart of a service to be heard of", () => restarts() > before, { timeout: 3000 })
		.then(() => undefined)
		.catch(() => "a restart of a service is not heard of");
}

/** procd comes to the bus again; perhaps nobody listens. */
async function comes(world: World): Promise<void> {
	const line = '{ "ubus.object.add": {"id":-154867602,"path":"service"} }';
	await world.shell(`echo '${line}' 1<>/run/fake-ubus/objects`);
}

/** With OpenWrt's bus, which is heard again after the part's return. */
const withBus = { bus: true, restored: heard } as const;
const streams = { dependency: "ubus", program: "ubus", when: "subscribe|listen" } as const;
/** The fake's streams are `cat`. */
const stream = /^cat$/;
const called = { ...streams, when: "-t" } as const;

/** Until a file is gone, the program waits: what was stopped goes on, and has lost nothing. */
const WAITS = 'while [ -e /tmp/wait ]; do sleep 0.1; done; exec $real "$@"';

function waiting(dependency: "ubusd" | "procd", fault: Fault, when: string, what: string): Cell {
	const cell = inFront({ ...streams, dependency, when }, fault, WAITS, { ...withBus, what });
	return {
		...cell,
		async begin(world) {
			await world.shell("touch /tmp/wait");
			await cell.begin(world);
			// Whoever attaches anew meets it: a service of procd's has changed.
			await world.bus?.ubusdStarts();
		},
		async end(world) {
			await world.shell("rm -f /tmp/wait");
			await cell.end(world);
		},
	};
}

/** `ubus call` answers something else. */
function answering(dependency: "ubus" | "procd", fault: Fault, script: string, what: string): Cell {
	const cell = inFront({ ...called, dependency }, fault, script, { ...withBus, what });
	return {
		...cell,
		async begin(world) {
			await cell.begin(world);
			await heard(world);
		},
	};
}

/** The streams' program does something else each time it is started, which is soon. */
function streaming(fault: Fault, script: string, more: Partial<Cell> & { readonly what: string }): Cell {
	const cell = inFront(streams, fault, script, { ...withBus, ...more });
	return {
		...cell,
		async begin(world) {
			await cell.begin(world);
			await world.signal(stream, "SIGKILL");
			await world.tried("ubus", 2);
		},
	};
}

const ubus: readonly Cell[] = [
	{
		...notInstalled("ubus", ["ubus"], { what: "no ubus in PATH, and ubusd runs" }),
		...withBus,
	},
	{
		dependency: "ubus",
		fault: "dies",
		what: "both streams are killed",
		...withBus,
		begin: (world) => world.signal(stream, "SIGKILL"),
		end: async () => {},
	},
	streaming("dies in a loop", SCRIPTS["dies in a loop"], { what: "ends at once, for 16 s", lasts: 16_000 }),
	{
		dependency: "ubus",
		fault: "stopped",
		what: "SIGSTOP of both streams",
		...withBus,
		begin: (world) => world.signal(stream, "SIGSTOP"),
		end: async (world) => world.continueAll(),
	},
	streaming("garbage", `cat ${GARBAGE}; echo; exec $real "$@"`, {
		what: "300 kB at random first",
		says: /ubus: cannot parse/,
	}),
	streaming("half", `echo '{ "instance.start": {"serv'; exec $real "$@"`, {
		what: "half a line first",
		says: /ubus: cannot parse/,
	}),
	streaming("10 MB", `${SCRIPTS["10 MB"]}; exec $real "$@"`, {
		what: "a line of 10 MB first",
		says: /ubus: cannot parse/,
	}),
	streaming("slow", SCRIPTS.slow, { what: "each start takes 0.3 s more" }),
	streaming("exit 127", SCRIPTS["exit 127"], { what: "ends with 127" }),
];

const socket = "/run/ubus/ubus.sock";
const ubusd: readonly Cell[] = [
	{
		dependency: "ubusd",
		fault: "missing at start",
		what: "no socket, and later there is one",
		...withBus,
		atStart: true,
		async begin(world) {
			await world.shell(`rm -f ${socket}`);
			const streams = world.router.processes().filter((pid) => isStream(world, pid));
			world.router.signalEach(streams, "SIGKILL");
		},
		end: async (world) => world.bus?.ubusdStarts(),
	},
	{
		dependency: "ubusd",
		fault: "dies",
		what: "its socket goes, and comes back",
		...withBus,
		begin: async (world) => void (await world.shell(`rm -f ${socket}`)),
		end: async (world) => world.bus?.ubusdStarts(),
	},
	{
		dependency: "ubusd",
		fault: "dies in a loop",
		what: "its socket is made anew twelve times",
		...withBus,
		async begin(world) {
			for (let round = 0; round < 12; round++) await world.bus?.ubusdStarts();
		},
		end: async (world) => world.bus?.ubusdStarts(),
	},
	waiting("ubusd", "hangs", "-t", "calls are not answered"),
	waiting("ubusd", "stopped", "*", "neither calls nor subscriptions are answered"),
];

function isStream(world: World, pid: number): boolean {
	return world.router.read(`/proc/${pid}/cmdline`) === "cat\0";
}

const NOT_FOUND = 'echo "Command failed: Not found" >&2; exit 4';
const procd: readonly Cell[] = [
	{
		...inFront({ ...streams, dependency: "procd", when: "subscribe|-t" }, "missing at start", NOT_FOUND, {
			what: "no service object, and later there is one",
			atStart: true,
		}),
		...withBus,
		async end(world) {
			await world.unfake("ubus");
			await comes(world);
		},
	},
	{
		...inFront({ ...called, dependency: "procd" }, "dies", NOT_FOUND, {
			what: "its object goes, and comes back",
		}),
		...withBus,
		async end(world) {
			await world.unfake("ubus");
			await comes(world);
		},
	},
	{
		dependency: "procd",
		fault: "dies in a loop",
		what: "its object comes back twelve times",
		...withBus,
		async begin(world) {
			for (let round = 0; round < 12; round++) await comes(world);
		},
		end: comes,
	},
	answering(
		"procd",
		"hangs",
		'sleep 5; echo "Command failed: Request timed out" >&2; exit 7',
		"calls time out",
	),
	answering("procd", "garbage", SCRIPTS.garbage, "calls answer 300 kB at random"),
	answering("procd", "half", SCRIPTS.half, "calls answer half of it"),
	answering("procd", "10 MB", SCRIPTS["10 MB"], "calls answer a line of 10 MB"),
	answering("procd", "slow", SCRIPTS.slow, "each call takes 0.3 s more"),
];

export const openwrtCells: readonly Cell[] = [...ip, ...ubus, ...ubusd, ...procd];
export const openwrtLeftOut: readonly LeftOut[] = [
	{ dependency: "ip", faults: ["full", "read-only"], why: "a program is neither full nor read-only" },
	{ dependency: "ubus", faults: ["full", "read-only"], why: "a program is neither full nor read-only" },
	{
		dependency: "ubus",
		faults: ["hangs"],
		why: "a subscriber that says nothing cannot be told from a quiet bus; calls that hang are ubusd's",
	},
	{
		dependency: "ubusd",
		faults: ["garbage", "half", "10 MB", "slow", "exit 127", "full", "read-only"],
		why: "only the program ubus talks to it: what comes of that is seen there",
	},
	{ dependency: "procd", faults: ["stopped"], why: "to the daemon it is the same as hanging" },
	{
		dependency: "procd",
		faults: ["exit 127", "full", "read-only"],
		why: "the daemon neither starts it nor writes to it",
	},
];
