import type { Lab } from "./lab.ts";
import { network } from "./network.ts";
import { type Bird, startBird } from "./programs.ts";

const address = (index: number) => `172.16.${Math.floor(index / 250)}.${(index % 250) + 2}`;

/** BIRD's configuration of a router with this many peers, which it waits for. */
export function manyPeers(peers: number): string {
	const each = (_: unknown, index: number) =>
		`protocol bgp peer_${index} { local ${network.router.lan} as 65001; neighbor ${address(index)} as 65009; ` +
		"passive on; multihop 2; ipv4 { import all; export none; }; }\n";
	return (
		"router id 192.168.1.1;\nlog stderr { error };\nprotocol device {}\nprotocol direct { ipv4; }\n" +
		// The way to the next hops, which are the peers.
		`protocol static { ipv4; route 172.16.0.0/16 via ${network.speaker.address}; }\n` +
		Array.from({ length: peers }, each).join("")
	);
}

function speakerConfiguration(peers: number, isUp: (index: number) => boolean): string {
	const each = (_: unknown, index: number) =>
		isUp(index)
			? `protocol bgp p_${index} { local ${address(index)} as 65009; neighbor ${network.router.lan} as 65001; ` +
				"multihop 2; connect delay time 1; connect retry time 5; error wait time 1, 5; ipv4 { import none; export all; }; }\n"
			: "";
	const service = `protocol static { ipv4; route ${network.service} unreachable; }\n`;
	return `router id 9.9.9.9;\nlog stderr { error };\nprotocol device {}\n${service}${Array.from({ length: peers }, each).join("")}`;
}

/** The router's way to all of them, which a link that goes down takes with it. */
export async function routeToPeers(lab: Lab): Promise<void> {
	await lab.router.run(["ip", "route", "replace", "172.16.0.0/16", "via", network.speaker.address]);
}

/**
 * Starts BIRD with this many peers, all of them on the speaker.
 * @param isUp which of them dial, by their number
 */
export async function startManyPeers(
	lab: Lab,
	peers: number,
	isUp: (index: number) => boolean,
): Promise<Bird> {
	const addresses = Array.from({ length: peers }, (_, index) => `address add ${address(index)}/32 dev lo\n`);
	await lab.speaker.run(["ip", "-batch", "-"], { stdin: addresses.join("") });
	await routeToPeers(lab);
	const bird = await startBird(lab.router, manyPeers(peers));
	await startBird(lab.speaker, speakerConfiguration(peers, isUp));
	return bird;
}
