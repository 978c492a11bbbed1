import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Lab, startLab } from "../lab.ts";
import { network } from "../network.ts";
import {
	articleTable,
	type Bird,
	birdDirect,
	birdMultihop,
	type Frr,
	fw4Table,
	startBird,
	startFrr,
	startMosquitto,
	trackedBgp,
} from "../programs.ts";
import { meetProxy } from "../session.ts";
import { until } from "../wait.ts";
import { birdVersions } from "../world.ts";

/** What the lab's real programs do without bgpwarden: the ground every other scenario stands on. */
let lab: Lab;
beforeEach(async () => {
	lab = await startLab();
});
afterEach(() => lab.stop());

async function bothEnds(bird: Bird, frr: Frr) {
	return { router: await bird.peer(), speaker: await frr.peer() };
}
const healthy = {
	router: { bgp: "Established", bfd: "Up" },
	speaker: { bgp: "Established", bfd: "up" },
};

/**
 * Waits for BGP and BFD on both ends. With single-hop BFD, FRR starts its BFD session anew as it dials; when BIRD notices
 * that only after the session was established, it drops it and refuses the peer for its error wait of 60 s. A restart
 * of the protocol ends that wait.
 */
async function untilHealthy(bird: Bird, frr: Frr): Promise<void> {
	const probe = async () => {
		const seen = await bothEnds(bird, frr);
		if (seen.router.bgp === "Idle" && seen.router.bfd === "Up") await bird.control(`restart ${network.peer}`);
		return seen;
	};
	await until("BGP and BFD on both ends", probe, {
		holds: (seen) => JSON.stringify(seen) === JSON.stringify(healthy),
		timeout: 40_000,
	});
}

/** The article's table with what it lacks: the router's own answers must not meet conntrack either. */
const wholeTable = `${articleTable}
table inet custom_bgp {
	chain raw_out {
		type filter hook output priority raw; policy accept;
		tcp sport 179 notrack
		tcp dport 179 notrack
	}
}
`;

describe("a healthy network", () => {
	test.each(birdVersions.flatMap((version) => [true, false].map((multihop) => ({ version, multihop }))))(
		"BIRD $version and FRR meet (multihop: $multihop)",
		async ({ version, multihop }) => {
			await lab.router.nft(fw4Table);
			const bird = await startBird(lab.router, multihop ? birdMultihop() : birdDirect(), version);
			const frr = await startFrr(lab.speaker, { multihop });
			await untilHealthy(bird, frr);

			expect(await bird.control("show status")).toContain(`BIRD ${version}.`);
			// FRR tells it in every version, BIRD 2.0 does not.
			expect((await frr.vtysh("show bfd peers")).includes("multihop")).toBe(multihop);
			await until("the service's route in the kernel", async () => {
				const { stdout } = await lab.router.run(["ip", "route", "show", network.service]);
				return stdout.includes(`via ${network.speaker.address}`);
			});
		},
	);
});

describe("the ghost", () => {
	test("a proxy's redirect leaves BFD up, BGP down and an entry that lives for days", async () => {
		await lab.router.nft(fw4Table);
		const { proxy, bird, frr } = await meetProxy(lab);

		const caught = / ESTABLISHED src=192\.168\.1\.2 .*dport=179 .*sport=7892 .*\[ASSURED\]/;
		await until(
			"BFD up and the session caught",
			async () => ({
				...(await bothEnds(bird, frr)),
				entries: await trackedBgp(lab.router),
			}),
			{
				holds: ({ router, speaker, entries }) =>
					router.bfd === "Up" && speaker.bfd === "up" && entries.some((entry) => caught.test(entry)),
				timeout: 30_000,
			},
		);
		const { router, speaker } = await bothEnds(bird, frr);
		expect(router).toEqual({ bgp: "Passive", bfd: "Up" });
		expect(speaker.bgp).toMatch(/^(Active|Connect|OpenSent)$/);
		expect(proxy.lines.some((line) => line.includes(network.speaker.address))).toBe(true);

		await lab.router.nft(wholeTable);
		await lab.router.run(["conntrack", "-D", "-p", "tcp", "--orig-port-dst", "179"]);
		await bird.control(`restart ${network.peer}`);
		await untilHealthy(bird, frr);
		expect((await trackedBgp(lab.router)).filter((entry) => entry.includes("port=179 "))).toEqual([]);
	});

	test("the article's own table and fw4's invalid drop keep the session down", async () => {
		await lab.router.nft(fw4Table);
		await lab.router.nft(articleTable);
		const bird = await startBird(lab.router, birdMultihop());
		const frr = await startFrr(lab.speaker);

		await until(
			"the router's answers to be dropped",
			async () => {
				const { stdout } = await lab.router.run(["nft", "list", "chain", "inet", "fw4", "output"]);
				return {
					dropped: Number(stdout.match(/packets (\d+) .*drop/)?.[1] ?? 0),
					...(await bothEnds(bird, frr)),
				};
			},
			{ holds: ({ dropped }) => dropped >= 3, timeout: 30_000 },
		);
		const { router, speaker } = await bothEnds(bird, frr);
		expect(router.bgp).toBe("Passive");
		expect(speaker.bgp).not.toBe("Established");

		await lab.router.nft(`delete table inet custom_bgp\n${wholeTable}`);
		await bird.control(`restart ${network.peer}`);
		await untilHealthy(bird, frr);
	});
});

describe("the lab", () => {
	test("a power cut leaves a router with nothing on it, and its links come back", async () => {
		await lab.router.nft(fw4Table);
		const bird = await startBird(lab.router, birdMultihop());
		expect(lab.router.processes()).toEqual([bird.process.pid]);

		await lab.powerOff();
		expect(await bird.process.ended).toEqual({ code: null, signal: "SIGKILL" });
		expect(lab.router.processes()).toEqual([]);
		expect((await lab.router.run(["nft", "list", "ruleset"])).stdout).toBe("");
		expect(
			(await lab.speaker.run(["ping", "-c1", "-W1", "192.168.1.1"], { allowFailure: true })).code,
		).not.toBe(0);

		await lab.powerOn();
		await lab.speaker.run(["ping", "-c1", "-W2", network.router.lan]);
		await lab.speaker.run(["ping", "-c1", "-W2", network.router.lan6]);
		await lab.speaker.run(["ping", "-c1", "-W2", network.broker.address]);
	});

	test("files are the host's own, and links in them stay on the host", async () => {
		lab.router.write("/var/run/x/y", "router", 0o600);
		expect(lab.router.read("/run/x/y")).toBe("router");
		expect((await lab.router.run(["stat", "-c", "%a", "/run/x/y"])).stdout).toBe("600\n");
		expect(lab.speaker.read("/run/x/y")).toBeUndefined();
		expect((await lab.router.run(["hostname"])).stdout).toBe("router\n");
	});

	test("a process is known by its own pid, its lines and its end", async () => {
		const sleeper = lab.router.start(["sh", "-c", "echo $$; exec sleep 60"], { name: "sleeper" });
		await until("its line", () => sleeper.lines.length > 0);
		expect(sleeper.lines).toEqual([String(sleeper.pid)]);
		expect(await sleeper.end("SIGTERM")).toEqual({ code: null, signal: "SIGTERM" });
		expect(sleeper.running).toBe(false);
		await expect(lab.router.run(["sh", "-c", "echo why >&2; exit 3"])).rejects.toThrow("exit 3: why");
		await expect(startBird(lab.router, "rubbish")).rejects.toThrow(/bird\d has ended:[\s\S]*syntax error/);
	});
});

describe("the broker", () => {
	test("a retained message reaches who subscribes later, until it is emptied", async () => {
		const broker = await startMosquitto(lab.broker);
		const live = await broker.subscribe();
		await lab.router.run([
			"mosquitto_pub",
			"-h",
			network.broker.address,
			"-t",
			"a/b",
			"-m",
			"on",
			"-r",
			"-q",
			"1",
		]);
		await until("the message", () => live.last("a/b"));
		expect(live.last("a/b")).toMatchObject({ payload: "on", retain: false, qos: 1 });
		expect(await broker.retained()).toEqual(new Map([["a/b", "on"]]));

		await broker.publish("a/b", "", { retain: true });
		expect(await broker.retained()).toEqual(new Map());
		await until("the empty message", () => live.last("a/b")?.payload === "");
	});

	test("password and TLS are demanded", async () => {
		const broker = await startMosquitto(lab.broker, { tls: true, username: "router", password: "a b'c" });
		await broker.publish("x", "1", { retain: true });
		expect(await broker.retained()).toEqual(new Map([["x", "1"]]));

		lab.router.write("/etc/ca.crt", broker.caCertificate ?? "");
		const publish = ["mosquitto_pub", "-h", network.broker.address, "-p", "8883", "--cafile", "/etc/ca.crt"];
		const message = ["-t", "y", "-m", "1", "-u", "router", "-P"];
		const wrong = await lab.router.run([...publish, ...message, "wrong"], { allowFailure: true });
		expect(wrong.stderr).toMatch(/not authori[sz]ed/i);
		await lab.router.run([...publish, ...message, "a b'c"]);
	});
});
