/** Who changed the ruleset, as far as the kernel and /proc still told. */
export interface Actor {
	/** Process name from nft monitor's generation line, e.g. `nft`. */
	readonly process: string;
	/** Absent in a container: the kernel tells the id that the process has outside, which names another one inside. */
	readonly pid?: number;
	/** Command line of the process, if it was still there. */
	readonly command?: string;
	/** Name of the parent process and its command line, e.g. `/bin/sh /etc/init.d/firewall stop`. */
	readonly parent?: string;
	/** The parent, its parent and so on, without init. */
	readonly ancestors?: readonly { readonly pid: number; readonly command: string }[];
}

/** e.g. `nft (pid 4711, nft flush ruleset), started by /bin/sh /etc/init.d/firewall stop`. */
export function describeActor(actor: Actor | undefined): string {
	if (!actor) return "an unknown program";
	if (actor.pid === undefined) return `${actor.process} (pid unknown: this is a container)`;
	const command = actor.command === undefined ? "" : `, ${actor.command}`;
	const parent = actor.parent === undefined ? "" : `, started by ${actor.parent}`;
	return `${actor.process} (pid ${actor.pid}${command})${parent}`;
}
