import { pause } from "../../wait.ts";
import type { Cell, Fault, LeftOut } from "../cell.ts";
import { WAYS, wayFile } from "../mangle.ts";
import type { World } from "../world.ts";
import { inFront, killed, notInstalled, RELAY, resting, SCRIPTS, stopped } from "./programs.ts";

const silent = resting("mqtt");
const told = (why: RegExp) => ({ ...silent, says: why });

/** The two programs that carry MQTT's bytes have the same faults. */
function carrier(program: "nc" | "openssl"): readonly Cell[] {
	const child = program === "nc" ? /nc [\d.]+ \d+$/ : /openssl s_client /;
	const front = { dependency: program, program, child } as const;
	const way = program === "openssl" ? ({ way: "tls" } as const) : {};
	return [
		notInstalled(program, [program], {
			...way,
			...told(new RegExp(`${program}: not found`)),
			what: `no ${program} in PATH`,
		}),
		killed(program, child, { ...way, ...silent, what: "killed once" }),
		inFront(front, "dies in a loop", SCRIPTS["dies in a loop"], {
			...way,
			...told(/no memory/),
			what: "ends at once, for 16 s",
			lasts: 16_000,
		}),
		inFront(front, "hangs", SCRIPTS.hangs, { ...way, ...silent, what: "connects to nobody" }),
		stopped(program, child, { ...way, ...silent, what: "SIGSTOP" }),
		inFront(front, "garbage", `yes rubbish | head -c 3000000; exec sleep 1000`, {
			...way,
			...told(/MQTT/),
			what: "3 MB of rubbish",
		}),
		inFront(front, "half", "printf '\\040'; exec sleep 1000", {
			...way,
			...silent,
			what: "half of the broker's first answer",
		}),
		inFront(front, "10 MB", `yes rubbish | head -c 10000000; exec sleep 1000`, {
			...way,
			...told(/MQTT/),
			what: "10 MB of rubbish",
		}),
		inFront(front, "slow", `echo slow >${wayFile}; ${RELAY}`, {
			...way,
			what: "the broker's bytes come 0.5 s late",
			async end(world) {
				await world.unfake(program);
				await world.spoil(undefined);
			},
		}),
		inFront(front, "exit 127", SCRIPTS["exit 127"], {
			...way,
			...told(new RegExp(`${program}: not found`)),
			what: "ends with 127",
		}),
	];
}

async function restart(world: World): Promise<void> {
	if (!world.broker.process.running) await world.startBroker();
}

/** The broker answers through a relay, which spoils the answers. */
function relayed(fault: keyof typeof WAYS, more: Partial<Cell> & { readonly what: string }): Cell {
	return {
		dependency: "broker",
		fault,
		way: "relay",
		begin: (world) => world.spoil(WAYS[fault]),
		end: (world) => world.spoil(undefined),
		...(fault === "slow" ? {} : silent),
		...more,
	};
}

const broker: readonly Cell[] = [
	{
		dependency: "broker",
		fault: "missing at start",
		what: "no broker listens",
		atStart: true,
		begin: (world) => world.broker.stop(),
		end: restart,
		...told(/MQTT/),
	},
	{
		dependency: "broker",
		fault: "dies",
		what: "killed, and started 4 s later",
		lasts: 4000,
		modes: ["installed", "owned"],
		begin: (world) => world.broker.crash(),
		end: restart,
		...told(/MQTT/),
	},
	{
		dependency: "broker",
		fault: "dies in a loop",
		what: "killed and started for 16 s",
		async begin(world) {
			for (let round = 0; round < 8; round++) {
				await world.broker.crash();
				await pause(1000);
				await restart(world);
				await pause(1000);
			}
			await world.broker.crash();
		},
		end: restart,
		...told(/MQTT/),
	},
	relayed("hangs", { what: "takes all and answers nothing" }),
	{
		dependency: "broker",
		fault: "hangs",
		what: "takes connections and answers nothing, for 16 s",
		way: "relay",
		lasts: 16_000,
		async begin(world) {
			await world.spoil(WAYS.hangs);
			await world.signal(/nc /, "SIGKILL");
		},
		end: (world) => world.spoil(undefined),
		...told(/MQTT/),
	},
	{
		dependency: "broker",
		fault: "stopped",
		what: "SIGSTOP",
		begin: async (world) => world.broker.process.kill("SIGSTOP"),
		end: async (world) => world.broker.process.kill("SIGCONT"),
		...silent,
	},
	relayed("garbage", { what: "answers rubbish", ...told(/MQTT/) }),
	relayed("half", { what: "half of an answer, and the end", ...told(/MQTT/) }),
	relayed("10 MB", { what: "10 MB of rubbish", ...told(/MQTT/) }),
	relayed("slow", { what: "each answer comes 0.5 s late" }),
	{
		dependency: "broker",
		fault: "10 MB",
		what: "a message of 10 MB on a topic that is heard",
		async begin({ lab }) {
			const argv = ["mosquitto_pub", "-h", "127.0.0.1", "-t", "homeassistant/status", "-s"];
			await lab.broker.run(argv, { stdin: "x".repeat(10_000_000) });
		},
		end: async () => {},
	},
];

const none: readonly Fault[] = ["full", "read-only"];
export const mqttCells: readonly Cell[] = [...carrier("nc"), ...carrier("openssl"), ...broker];
export const mqttLeftOut: readonly LeftOut[] = [
	{ dependency: "nc", faults: none, why: "a program is neither full nor read-only; a disk is" },
	{ dependency: "openssl", faults: none, why: "a program is neither full nor read-only; a disk is" },
	{
		dependency: "broker",
		faults: none,
		why: "what a broker refuses to keep is test/lab/scenarios/broker-limits.lab.ts",
	},
	{ dependency: "broker", faults: ["exit 127"], why: "the daemon does not start the broker" },
];
