import { quantile } from "../bench/figures.ts";
import { ghost, rebootRouter, restartSpeaker, withoutRoute } from "./incidents.ts";
import { kinds, type SpeakerKind } from "./kinds.ts";
import { Stage } from "./stage.ts";

/**
 * `make figures-speakers`: how long a session is down after a ghost, from the moment the table is back, and after a reboot of the
 * router, from the moment its links are up, and how long the service has no route when the speaker restarts; with each speaker,
 * with bgpwarden and without it. COUNT plays of each (10), PARALLEL at a time (6), ONLY those whose name matches, e.g. `gobgp.*ghost`.
 * Prints a table in Markdown, and all times as JSON.
 */
const count = Number(process.env.COUNT ?? 10);
const parallel = Number(process.env.PARALLEL ?? 6);
const only = new RegExp(process.env.ONLY ?? "", "i");

/** Ms for which the router is away: each play a little longer, so that no speaker's timer is always at the same point. */
const AWAY = 60_000;
const LONGER = 1100;

/** Ms from a speaker's end to its next start. */
const RESTART = 5000;

/** Each returns the seconds that the column is about. */
const incidents: Readonly<
	Record<string, { readonly heading: string; play(stage: Stage, round: number): Promise<number> }>
> = {
	ghost: {
		heading: "ghost to Established",
		async play(stage) {
			const mark = stage.mark();
			const back = await ghost(stage);
			return ((await stage.untilUp(mark)) - back) / 1000;
		},
	},
	reboot: {
		heading: "reboot to Established",
		async play(stage, round) {
			const back = await rebootRouter(stage, { away: AWAY + round * LONGER });
			return ((await stage.untilUp(0)) - back) / 1000;
		},
	},
	restart: {
		heading: "no route to the service after the speaker's restart (5 s)",
		async play(stage) {
			const mark = stage.mark();
			const gone = await withoutRoute(stage, async () => {
				await restartSpeaker(stage, { away: RESTART });
				await stage.untilUp(mark);
			});
			return gone / 1000;
		},
	},
};

interface Cell {
	readonly speaker: string;
	readonly incident: string;
	readonly protect: boolean;
	readonly kind: SpeakerKind;
	/** Seconds to Established, one a play. */
	readonly seconds: number[];
	readonly failures: string[];
}

const say = (text: string) => process.stderr.write(`figures: ${text}\n`);

const cells: Cell[] = Object.values(kinds).flatMap((kind) =>
	Object.keys(incidents).flatMap((incident) =>
		[true, false].map((protect) => ({
			...{ speaker: kind.name, incident, protect, kind },
			...{ seconds: [], failures: [] },
		})),
	),
);
const title = ({ speaker, incident, protect }: Cell) =>
	`${speaker}, ${incident}, ${protect ? "with" : "without"} bgpwarden`;
const wanted = cells.filter((cell) => only.test(title(cell)));

async function play(cell: Cell): Promise<void> {
	let stage: Stage | undefined;
	try {
		stage = await Stage.start(cell.kind, { protect: cell.protect });
		const seconds = await incidents[cell.incident]?.play(stage, cell.seconds.length);
		if (seconds === undefined) throw new Error(`no incident ${cell.incident}`);
		cell.seconds.push(Number(seconds.toFixed(2)));
		say(`${title(cell)}: ${seconds.toFixed(2)} s`);
	} catch (error) {
		cell.failures.push(error instanceof Error ? error.message : String(error));
		say(`${title(cell)}: ${cell.failures.at(-1)}`);
	} finally {
		await stage?.stop();
	}
}

/** All plays, those of one round after the other, so that a part of a run has a part of each cell. */
const waiting = Array.from({ length: count }, () => wanted).flat();
say(`${waiting.length} plays, ${parallel} at a time`);
await Promise.all(
	Array.from({ length: parallel }, async () => {
		for (let cell = waiting.shift(); cell !== undefined; cell = waiting.shift()) await play(cell);
	}),
);

function median({ seconds, failures }: Cell): string {
	const text = seconds.length > 0 ? `${quantile(seconds, 0.5).toFixed(1)} s` : "–";
	return failures.length > 0 ? `${text} (${failures.length} not played)` : text;
}

const columns = Object.keys(incidents).flatMap((incident) =>
	[true, false].map((protect) => ({ incident, protect })),
);
const head = columns.map(
	({ incident, protect }) => `${incidents[incident]?.heading}, ${protect ? "with bgpwarden" : "without"}`,
);
const rows = [...new Set(wanted.map(({ speaker }) => speaker))].map((speaker) => {
	const measured = columns.map(({ incident, protect }) => {
		const found = wanted.find(
			(cell) => cell.speaker === speaker && cell.incident === incident && cell.protect === protect,
		);
		return found ? median(found) : "";
	});
	return `| ${[speaker, ...measured].join(" | ")} |`;
});
process.stdout.write(
	`| ${["speaker", ...head].join(" | ")} |\n|${" --- |".repeat(head.length + 1)}\n${rows.join("\n")}\n\n`,
);
const told = wanted.map(({ kind: _, ...cell }) => cell);
process.stdout.write(`${JSON.stringify({ count, cells: told })}\n`);
if (wanted.some(({ failures }) => failures.length > 0)) process.exitCode = 1;
