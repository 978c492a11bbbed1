import type { ServiceEvent, ServiceProcess } from "../../model/service.ts";
import type { Platform, Timer } from "../../platform/types.ts";
import { parseServiceEvent, parseServiceList } from "./service-events.ts";
import { createUbus } from "./ubus.ts";

/** Where ubusd listens: OpenWrt 21.02 and later, and before. */
export const UBUS_SOCKETS = ["/var/run/ubus/ubus.sock", "/var/run/ubus.sock"] as const;
/** Milliseconds between checks of that socket; a check is a stat. */
const CHECK_PERIOD = 5000;
/** procd's object on the bus. */
const PROCD = "service";
/** ubusd's event for each object that comes, with its `path` (ubusd_event.c). */
const OBJECT_ADDED = "ubus.object.add";

export interface ServicesOptions {
	readonly onChange: (event: ServiceEvent) => void;
	/** A file of /etc/config has changed, and its services are about to reload. @param name e.g. `firewall` */
	readonly onConfigChange: (name: string) => void;
	/** All running processes of all services: after attaching, and after each `read`. */
	readonly onProcesses: (processes: readonly ServiceProcess[]) => void;
	/** One line about the bus that is worth knowing, reported once. */
	readonly onInfo: (text: string) => void;
	/** Output that ubus does not print; the first of each run. */
	readonly onGarbage: (text: string) => void;
}

/** What procd does to services. Where there is no ubus, this only checks for its socket. */
export interface Services {
	start(): void;
	stop(): void;
	/** Asks for the running processes, if procd can be asked; calls while one is under way make one more after it. */
	read(): void;
}

/**
 * Follows procd's services over `ubus subscribe service`, which stays deaf when what it is attached to goes. Two signs
 * tell that, neither of which needs a process to be started: another socket is another ubusd, and a second long-lived
 * process, `ubus listen ubus.object.add`, tells when procd comes to the bus again.
 */
export function createServices(platform: Platform, options: ServicesOptions): Services {
	const ubus = createUbus(platform);
	let timer: Timer | undefined;
	let running = false;
	/** The socket that the streams were started on. */
	let attached: string | undefined;
	let reported: string | undefined;
	let reading = false;
	let again = false;

	const report = (text: string) => {
		if (reported === text) return;
		reported = text;
		options.onInfo(text);
	};
	const onGarbage = (text: string) => options.onGarbage(text);

	const changes = ubus.subscribe([PROCD], {
		onEvent: (event) => {
			const change = parseServiceEvent(event);
			if (change) options.onChange(change);
			else if (event.name === "config.change" && typeof event.data.config === "string")
				options.onConfigChange(event.data.config);
		},
		// What runs is read by way of another process, and only when there is procd to ask.
		onStart: () => read(),
		onEnd: ({ reason }) => report(`services cannot be followed: ${reason}`),
		onGarbage,
	});
	const objects = ubus.listen([OBJECT_ADDED], {
		onEvent: ({ data }) => {
			if (data.path === PROCD) changes.restart();
		},
		onGarbage,
	});

	const checkBus = () => {
		timer = platform.after(CHECK_PERIOD, checkBus);
		const socket = findSocket(platform);
		if (socket === attached) return;
		const before = attached;
		attached = socket;
		if (socket === undefined) {
			changes.stop();
			objects.stop();
		} else if (before === undefined) {
			objects.start();
			changes.start();
		} else {
			objects.restart();
			changes.restart();
		}
	};

	const read = async () => {
		if (attached === undefined) return;
		if (reading) {
			again = true;
			return;
		}
		reading = true;
		const reply = await ubus.call(PROCD, "list");
		reading = false;
		if (running && reply.ok) {
			reported = undefined;
			options.onProcesses(parseServiceList(reply.value));
		}
		if (!again || !running) return;
		again = false;
		read();
	};

	return {
		start() {
			if (running) return;
			running = true;
			checkBus();
		},
		stop() {
			running = false;
			timer?.cancel();
			changes.stop();
			objects.stop();
			attached = undefined;
			again = false;
		},
		read: () => void read(),
	};
}

/** What changes when ubusd makes its socket anew, as it does at each start; undefined: there is none. */
function findSocket(platform: Platform): string | undefined {
	for (const path of UBUS_SOCKETS) {
		const status = platform.files.status(path);
		if (status?.kind === "socket") return `${path} ${status.inode} ${status.modified}`;
	}
	return undefined;
}
