import { mkdirSync, writeFileSync } from "node:fs";
import type { Host } from "../host.ts";
import { startLab } from "../lab.ts";
import {
	birdPeering,
	birdSocket,
	type Peering,
	startBird,
	startCalico,
	startFrr,
	startGobgp,
	startNative,
} from "../programs.ts";
import { until } from "../wait.ts";
import { birdVersions } from "../world.ts";

/**
 * Takes the fixtures of the speakers anew: what BIRD says of an Established session with each of them, as the daemon asks it.
 * The router's BIRD has `graceful restart on`.
 */
const directory = new URL("../../fixtures/bird/speakers/", import.meta.url).pathname;

interface Case {
	readonly name: string;
	readonly router?: Peering;
	start(host: Host): Promise<{ peer(): Promise<{ bgp?: string | undefined; bfd?: string | undefined }> }>;
}

const noBfd = { multihop: false, extra: "bfd off;" } as const;
const cases: Case[] = [{ name: "native-ipv4", router: noBfd, start: (host) => startNative(host) }];
for (const family of [4, 6] as const) {
	for (const gracefulRestart of [false, true]) {
		const suffix = `ipv${family}${gracefulRestart ? "-graceful" : ""}`;
		const options = { family, gracefulRestart };
		for (const mode of ["frr-k8s", "frr"] as const)
			cases.push({
				name: mode === "frr" ? `frr-mode-${suffix}` : `frr-k8s-${suffix}`,
				router: { family },
				start: (host) => startFrr(host, { ...options, mode }),
			});
		cases.push({
			name: `gobgp-${suffix}`,
			router: { ...noBfd, family },
			start: (host) => startGobgp(host, options),
		});
		cases.push({
			name: `calico-${suffix}`,
			router: { ...noBfd, family, multihop: true },
			start: (host) => startCalico(host, options),
		});
	}
}

mkdirSync(directory, { recursive: true });
for (const version of birdVersions) {
	for (const { name, router = {}, start } of cases) {
		const lab = await startLab();
		try {
			const bird = await startBird(lab.router, birdPeering(router), version);
			const speaker = await start(lab.speaker);
			await until(`${name}: the session`, async () => [await bird.peer(), await speaker.peer()], {
				holds: (ends) =>
					ends.every(({ bgp }) => bgp === "Established") && /^(?:Up|undefined)$/.test(`${ends[0]?.bfd}`),
				timeout: 60_000,
			});
			// An IPv6 session may be up before the routes are there.
			await until(`${name}: the service's route`, () => bird.control("show protocols all waukeen"), {
				holds: (text) => /Routes: +1 imported/.test(text),
			});
			const stdin = 'timeformat "%s.%3f"\nshow protocols all\nshow bfd sessions all\n';
			const answer = await lab.router.run(["birdcl", "-v", "-r", "-s", birdSocket], { stdin });
			const number = (await bird.control("show status")).match(/^BIRD ([\d.]+)/m)?.[1] ?? "unknown";
			writeFileSync(`${directory}bird-${number}-${name}.txt`, answer.stdout);
			process.stdout.write(`captured bird-${number}-${name}\n`);
		} finally {
			await lab.stop();
		}
	}
}
