import type { Host } from "../host.ts";
import type { Process } from "../process.ts";
import { until } from "../wait.ts";

/** Follows one route of a host's kernel, by `ip -ts monitor route`. It ends with the host's power. */
export class RouteWatch {
	private constructor(
		private readonly host: Host,
		private readonly prefix: string,
		private readonly monitor: Process,
	) {}

	/** @param prefix with its length; waits until the route is there */
	static async start(host: Host, prefix: string): Promise<RouteWatch> {
		const monitor = host.start(["ip", "-ts", "monitor", "route"], { name: "ip monitor" });
		const watch = new RouteWatch(host, prefix, monitor);
		// It prints nothing as it begins: a route of our own tells that it listens.
		const probe = "203.0.113.253/32";
		await until("ip monitor to listen", async () => {
			await host.run(["ip", "route", "replace", "blackhole", probe]);
			await host.run(["ip", "route", "del", "blackhole", probe]);
			return monitor.lines.some((line) => line.includes("203.0.113.253"));
		});
		await until(`the route to ${prefix}`, () => watch.isThere());
		return watch;
	}

	/** Waits until the route is there and says how long it was not since the start, in ms. */
	async gone(timeout = 60_000): Promise<number> {
		await until(`the route to ${this.prefix}`, () => this.isThere(), { timeout, every: 100 });
		// What the kernel has done is on its way through the monitor.
		return until("ip monitor to say so", () => this.sum() ?? "the route is gone still", {
			holds: (sum) => typeof sum === "number",
		}).then(Number);
	}

	async stop(): Promise<void> {
		await this.monitor.end("SIGTERM");
	}

	private async isThere(): Promise<boolean> {
		const family = this.prefix.includes(":") ? "-6" : "-4";
		return (await this.host.run(["ip", family, "route", "show", this.prefix])).stdout !== "";
	}

	/** Ms; undefined while the last word is that it is gone. */
	private sum(): number | undefined {
		// ip-monitor(8): `[2026-11-30T10:00:00.000001] Deleted 192.168.20.1 via …`; the length of a host's route is not printed.
		const [address = "", length] = this.prefix.split("/");
		const shown = length === "32" || length === "128" ? address : this.prefix;
		let sum = 0;
		let since: number | undefined;
		for (const line of this.monitor.lines) {
			const [, time = "", deleted, destination] =
				/^\[([^\]]+)\] ?(Deleted )?(?:blackhole |unreachable )?(\S+)/.exec(line) ?? [];
			if (destination !== shown) continue;
			const at = Date.parse(`${time}Z`);
			if (deleted !== undefined) since ??= at;
			else if (since !== undefined) {
				sum += at - since;
				since = undefined;
			}
		}
		return since === undefined ? sum : undefined;
	}
}
