import type { Host } from "../host.ts";
import { network } from "../network.ts";
import { type Bird, startBird } from "./bird.ts";

export interface CalicoOptions {
	/** Address family of the session; default 4. */
	readonly family?: 4 | 6;
	/** Calico's template always has it; false only to see what it does. Default true. */
	readonly gracefulRestart?: boolean;
	/** Default: the newest BIRD of this world. */
	readonly version?: 2 | 3;
}

/**
 * The node's BIRD as Calico configures it (calico, confd/etc/calico/confd/templates): multihop, additional paths, graceful
 * restart, a dial each 5 s, listening. Calico's own is a BIRD 1.6: this world's BIRD stands in for it, with its own words for
 * the same options. It sends no host name.
 */
export function calicoConfig(options: CalicoOptions = {}): string {
	const { router, speaker } = network;
	const { family = 4, gracefulRestart = true } = options;
	const [other, service] = family === 6 ? [router.lan6, network.service6] : [router.lan, network.service];
	return `router id ${speaker.address};
log stderr all;
protocol device { scan time 2; }
protocol direct { ipv4; ipv6; interface "eth0"; }
protocol static { ipv${family}; route ${service} blackhole; }
template bgp bgp_template {
	local as ${speaker.as};
	multihop;
	graceful restart ${gracefulRestart ? "on" : "off"};
	connect delay time 2;
	connect retry time 5;
	error wait time 5,30;
	ipv${family} { import all; export where source = RTS_STATIC; gateway recursive; add paths on; };
}
protocol bgp tor from bgp_template {
	neighbor ${other} as ${router.as};
}
`;
}

/** A running BIRD on the node. */
export interface Calico extends Bird {
	/** Disables its protocol, or enables it. */
	shutdown(down: boolean): Promise<void>;
}

/** Starts the node's BIRD; its peer is called `tor`. */
export async function startCalico(host: Host, options: CalicoOptions = {}): Promise<Calico> {
	const bird = await startBird(host, calicoConfig(options), options.version);
	return {
		...bird,
		// It has no BFD to ask for.
		async peer() {
			return { bgp: (await bird.control("show protocols all tor")).match(/BGP state:\s+(\w+)/)?.[1] };
		},
		async shutdown(down) {
			await bird.control(`${down ? "disable" : "enable"} tor`);
		},
	};
}
