import type { Child, Timer } from "./types.ts";

/** Descriptors that are kept for what the table needs. */
const RESERVED = 8;

/** Descriptors that are kept free, by keeping them open, until something urgent finds none. */
export class Reserve {
	private kept: number[] = [];

	constructor(private readonly os: QuickJsOs) {
		this.fill();
	}

	/** Does something that needs descriptors, with those that are kept if it fails without. */
	lend<Result>(task: () => Result): Result {
		try {
			return task();
		} catch {
			for (const fd of this.kept) this.os.close(fd);
			this.kept = [];
			return task();
		}
	}

	/** Something has ended: takes back what was lent. */
	fill(): void {
		while (this.kept.length < RESERVED) {
			const fd = this.os.open("/dev/null", this.os.O_RDONLY);
			if (fd < 0) return;
			this.kept.push(fd);
		}
	}
}

/** Children after whose end garbage is collected, which takes some milliseconds. */
const COLLECT_EVERY = 64;
/** Milliseconds between looks whether children have ended whose output others hold open. */
const SWEEP = 3000;

/** What is known of each child here. */
interface Running extends Pick<Child, "kill"> {
	/** Whether it has ended, though its output has not. */
	look(): void;
}

/** All children that run. */
export class Children {
	private readonly running = new Set<Running>();
	private timer: Timer | undefined;
	private ended = 0;

	/** @param collect frees what only refers to each other */
	constructor(
		private readonly after: (milliseconds: number, callback: () => void) => Timer,
		private readonly collect: () => void,
	) {}

	get count(): number {
		return this.running.size;
	}

	add(child: Running): void {
		this.running.add(child);
		this.timer ??= this.after(SWEEP, () => this.sweep());
	}

	remove(child: Running): void {
		this.running.delete(child);
		// Each leaves closures that refer to each other: QuickJS would let them grow to half of all that is in use.
		if (++this.ended % COLLECT_EVERY === 0) this.collect();
		if (this.running.size > 0) return;
		this.timer?.cancel();
		this.timer = undefined;
	}

	/** Ends all of them, whatever they are waiting for. */
	end(): void {
		for (const child of this.running) child.kill("SIGKILL");
	}

	private sweep(): void {
		this.timer = this.after(SWEEP, () => this.sweep());
		for (const child of [...this.running]) child.look();
	}
}
