import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { buildSync } from "esbuild";
import type { Host } from "../host.ts";
import { type UntilOptions, until } from "../wait.ts";
import type { Report } from "./programs/report.ts";

export type NeighborProgram = "broker" | "publisher" | "bgp-speaker";

const built = new Map<NeighborProgram, string>();

function code(program: NeighborProgram): string {
	const known = built.get(program);
	if (known !== undefined) return known;
	const result = buildSync({
		entryPoints: [fileURLToPath(new URL(`programs/${program}.ts`, import.meta.url))],
		bundle: true,
		platform: "node",
		format: "esm",
		write: false,
	});
	const text = result.outputFiles[0]?.text ?? "";
	built.set(program, text);
	return text;
}

/** A program of programs/ in a host's network, run by this machine's Node.js. It ends when its standard input does. */
export class Neighbor {
	readonly reports: Report[] = [];
	private complaints = "";

	private constructor(
		readonly name: string,
		private readonly child: ChildProcess,
	) {
		child.stdin?.on("error", () => undefined);
		if (child.stdout)
			createInterface({ input: child.stdout }).on("line", (line) => this.reports.push(JSON.parse(line)));
		child.stderr?.on("data", (chunk) => {
			this.complaints = (this.complaints + chunk).slice(-2000);
		});
	}

	/** Starts it and waits until it is ready. */
	static async start(
		host: Host,
		program: NeighborProgram,
		args: readonly (string | number)[],
	): Promise<Neighbor> {
		// On the network it has a machine of its own: here, the router's goes first.
		const node = ["nice", "-n", "5", process.execPath, "--input-type=module", "--eval", code(program), "--"];
		const child = spawn("nsenter", ["-t", String(host.pid), "-n", "--", ...node, ...args.map(String)], {
			stdio: "pipe",
			detached: true,
		});
		const neighbor = new Neighbor(`${host.name}: ${program}`, child);
		await neighbor.until("to be ready", (reports) => reports.some(({ kind }) => kind === "ready"));
		return neighbor;
	}

	tell(word: string): void {
		this.child.stdin?.write(`${word}\n`);
	}

	/** Its reports of one kind, oldest first. */
	told<Kind extends Report["kind"]>(kind: Kind): Extract<Report, { kind: Kind }>[] {
		return this.reports.filter((each): each is Extract<Report, { kind: Kind }> => each.kind === kind);
	}

	/** Waits until its reports hold something. @param what completes the sentence "waited for the neighbor …" */
	async until(
		what: string,
		holds: (reports: readonly Report[]) => boolean,
		options: Pick<UntilOptions<unknown>, "timeout"> = {},
	): Promise<void> {
		await until(
			`${this.name} ${what}`,
			() => {
				if (this.child.exitCode !== null) throw new Error(`it has ended: ${this.complaints}`);
				return holds(this.reports) ? true : this.reports.slice(-5);
			},
			{ holds: (seen) => seen === true, ...options },
		);
	}

	async stop(): Promise<void> {
		if (this.child.exitCode !== null || this.child.signalCode !== null) return;
		const ended = new Promise((resolve) => this.child.once("close", resolve));
		// It may be too busy to read.
		this.child.kill("SIGKILL");
		await ended;
	}
}
