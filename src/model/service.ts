/** `respawn`: an instance ended by itself and procd starts it again; `fail`: procd has given up on it. */
export type ServiceChange = "start" | "stop" | "respawn" | "fail";

/** One thing that procd did to a service (procd, service/service.c and service/instance.c). */
export interface ServiceEvent {
	/** Name of its script in /etc/init.d. */
	readonly service: string;
	/** Absent: the service as a whole, which is all there is of one without a process, like `firewall`. */
	readonly instance?: string;
	readonly change: ServiceChange;
	/** How the instance ended; 128 + n for signal n. */
	readonly exitCode?: number;
}

/** A running process of a service. */
export interface ServiceProcess {
	readonly service: string;
	readonly instance: string;
	readonly pid: number;
}
