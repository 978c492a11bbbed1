import { readFileSync } from "node:fs";
import type { Host } from "../host.ts";

const directory = "/run/fake-ubus";
const socket = "/run/ubus/ubus.sock";

/** `subscribe` and `listen` print what is written into a FIFO; `call` prints a file; like ubus they go on for ever. */
const program = `#!/bin/sh
case "$1 $2 $3" in
"subscribe service ") exec cat <>${directory}/changes ;;
"listen ubus.object.add ") exec cat <>${directory}/objects ;;
"-t 5 call") cat ${directory}/services ;;
*) echo "Command failed: Not found" >&2; exit 4 ;;
esac
`;

/** The lines of real procd notifications about a service that was captured, in their order. */
export function capturedChanges(service: string, count: number): string[] {
	const fixture = new URL("../../fixtures/ubus/ubus-2025-12-02-subscribe.txt", import.meta.url);
	const lines = readFileSync(fixture, "utf8").split("\n");
	return lines.filter((line) => line.includes(`"service":"${service}"`)).slice(0, count);
}

/** OpenWrt's bus as far as the daemon sees it: the `ubus` program, and the socket of an ubusd that answers nobody. */
export class FakeUbus {
	private constructor(private readonly host: Host) {}

	static async start(host: Host): Promise<FakeUbus> {
		const bus = new FakeUbus(host);
		host.write("/usr/local/bin/ubus", program, 0o755);
		bus.services({});
		await host.run(["mkfifo", `${directory}/changes`, `${directory}/objects`]);
		await bus.ubusdStarts();
		return bus;
	}

	/** ubusd makes its socket anew, as at each start. */
	async ubusdStarts(): Promise<void> {
		const script =
			"import os, socket, sys; path = sys.argv[1]; os.makedirs(os.path.dirname(path), exist_ok=True)\n" +
			"if os.path.exists(path): os.unlink(path)\n" +
			"socket.socket(socket.AF_UNIX).bind(path)\n";
		await this.host.run(["python3", "-c", script, socket]);
	}

	/** procd runs these processes from now on: pids by service. */
	services(pids: Readonly<Record<string, number>>): void {
		const entries = Object.entries(pids).map(([service, pid]) => [
			service,
			{ instances: { instance1: { running: true, pid } } },
		]);
		this.host.write(`${directory}/services`, `${JSON.stringify(Object.fromEntries(entries))}\n`);
	}

	/** procd notifies its subscribers. */
	async changes(lines: readonly string[]): Promise<void> {
		await this.host.run(["sh", "-c", `cat 1<>${directory}/changes`], { stdin: `${lines.join("\n")}\n` });
	}

	/** procd comes to the bus again. */
	async procdComes(): Promise<void> {
		const line = '{ "ubus.object.add": {"id":-154867602,"path":"service"} }\n';
		await this.host.run(["sh", "-c", `cat >${directory}/objects`], { stdin: line });
	}
}
