import type { BirdConfiguration } from "../model/bird-configuration.ts";
import { BGP_PORT, MOST_PORTS } from "../model/ports.ts";
import type { Settings } from "../model/settings.ts";
import { reinstall } from "./table/table.ts";
import type { Turn } from "./turn.ts";

/**
 * The TCP ports that BGP uses on this router: 179, those of /etc/config/bgpwarden, and those of bird.conf.
 * @param configuration undefined: bird.conf is not known
 * @returns ascending; all of them, also more than the table can have
 */
export function portsInUse(settings: Settings, configuration: BirdConfiguration | undefined): number[] {
	const configured = (configuration?.bgp ?? []).flatMap(({ localPort, neighborPort }) => [
		localPort ?? BGP_PORT,
		neighborPort ?? BGP_PORT,
	]);
	return [...new Set([BGP_PORT, ...settings.ports, ...configured])].sort((one, other) => one - other);
}

/** BIRD's configuration, or bgpwarden's own, is another: the table is installed anew where other ports are in use. */
export function updatePorts(turn: Turn): void {
	const { settings, bird, table } = turn.state;
	// A file that cannot be read says nothing against the ports that it had.
	const kept = bird.configuration ? [] : table.ports;
	const all = [...new Set([...portsInUse(settings, bird.configuration), ...kept])].sort((a, b) => a - b);
	const ports = [BGP_PORT, ...all.filter((port) => port !== BGP_PORT).slice(0, MOST_PORTS - 1)].sort(
		(one, other) => one - other,
	);
	const left = all.filter((port) => !ports.includes(port));
	turn.problem(
		"ports",
		left.length === 0
			? undefined
			: `BGP uses ${all.length} ports, and the table covers ${MOST_PORTS}: sessions on port ${left.join(", ")} are not protected`,
	);
	if (ports.join() === table.ports.join()) return;
	turn.table({ ports });
	turn.log("info", `table inet ${settings.table}; TCP ports of BGP in it: ${ports.join(", ")}`);
	reinstall(turn);
}
