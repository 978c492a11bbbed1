import { readFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { isFailure } from "../../../src/doctor/facts.ts";
import type { Finding } from "../../../src/doctor/finding.ts";
import type { Report } from "../../../src/doctor/judge.ts";
import { configFile, daemonFile, runDirectory, startDaemon, type UciOptions, Warden } from "../daemon.ts";
import { type Lab, startLab } from "../lab.ts";
import { network } from "../network.ts";
import { installNode } from "../node.ts";
import {
	articleTable,
	birdConfigFile,
	birdDirect,
	birdMultihop,
	fw4Table,
	proxyTable,
	startBird,
	startFrr,
} from "../programs.ts";
import { manyRules } from "../rulesets.ts";
import { establish } from "../session.ts";
import { until } from "../wait.ts";
import { canOwn } from "../world.ts";

let lab: Lab;
beforeEach(async () => {
	lab = await startLab();
});
afterEach(() => lab.stop());

const ruleset = (name: string) =>
	readFileSync(new URL(`../../fixtures/nft/rulesets/${name}.nft`, import.meta.url), "utf8");

/** The program on the router, without a daemon. */
function install(config: UciOptions = {}): Warden {
	const warden = new Warden(lab.router);
	warden.install();
	warden.configure({ mqtt: { enabled: false }, ...config });
	return warden;
}

async function doctor(warden: Warden): Promise<{ code: number; report: Report }> {
	const { code, stdout, stderr } = await warden.cli(["doctor", "--json"]);
	expect(stderr).toBe("");
	return { code, report: JSON.parse(stdout) };
}

/** `id subject` of what is not green. */
function wrong({ causes, review }: Report): string[] {
	return [...causes, ...review]
		.filter(({ level }) => level !== "green")
		.map(({ level, id, subject }) => `${level} ${id} ${subject}`);
}

function find({ causes, review }: Report, id: string): Finding {
	const found = [...causes, ...review].find((finding) => finding.id === id);
	if (!found) throw new Error(`no finding ${id} among ${[...causes, ...review].map((each) => each.id)}`);
	return found;
}

/** Of a router that nothing is wrong with: the article's `graceful restart on` is a finding. */
const birdHealthy = () => birdMultihop().replace("graceful restart on;", "graceful restart aware;");

/** What a router is told that is healthy but cannot keep the table from others. */
const lacking = canOwn ? [] : ["yellow cannot-own inet custom_bgp"];

/** BIRD and FRR, which are to meet or not. */
async function peers(config = birdHealthy()) {
	const bird = await startBird(lab.router, config);
	const frr = await startFrr(lab.speaker);
	return { bird, frr };
}

describe("a session that is up and of no use", () => {
	/** What the peer's note and the doctor's finding say: the same. */
	const useless: readonly [string, string, readonly string[] | undefined, RegExp, string][] = [
		["nothing announced", birdHealthy(), [], /\(received 0, imported 0\)/, "nothing-announced"],
		[
			"everything filtered",
			birdHealthy().replace("import all;", "import where false;"),
			undefined,
			/\(received \d+, filtered \d+, imported 0\)/,
			"all-filtered",
		],
		[
			"next hops that are unreachable",
			birdHealthy().replace("import all;", "import filter { dest = RTD_UNREACHABLE; accept; };"),
			undefined,
			/next hop of 1 of the 1 routes/,
			"next-hops-unreachable",
		],
	];
	test.each(useless)("%s: a note, exit 0, level green", async (_, config, services, words, id) => {
		const { warden, daemon } = startDaemon(lab.router, { mqtt: { enabled: false } });
		await startBird(lab.router, config);
		await startFrr(lab.speaker, services ? { services } : {});
		const noted = await daemon.untilStatus(
			"the peer has a note",
			({ peers: [peer] }) => peer?.note !== undefined && peer.diagnosis === "healthy",
			{ timeout: 90_000 },
		);

		expect(noted.peers[0]).toMatchObject({
			level: "green",
			diagnosis: "healthy",
			note: expect.stringMatching(words),
		});
		expect(noted.peers[0]?.note).toContain(`${id}: `);
		expect(noted.router.level).toBe("green");
		const status = await warden.cli(["status"]);
		expect(status.code).toBe(0);
		expect(status.stdout).toContain(`${network.peer}: note: ${id}: `);
		const { code, report } = await doctor(warden);
		expect(code).toBe(0);
		expect(wrong(report)).toEqual([...lacking, `yellow ${id} ${network.peer}`]);
		expect(find(report, id).text).toMatch(words);
	});
});

describe("a healthy router", () => {
	test("is green, exit 0, under qjs and under node alike, also with 2,000 rules", async () => {
		await lab.router.nft(ruleset("fw4"));
		await lab.router.nft(ruleset("tailscale"));
		const { warden } = await establish(lab, {}, birdHealthy());

		const { code, report } = await doctor(warden);
		expect(wrong(report)).toEqual(lacking);
		expect({ code, level: report.level, causes: report.causes }).toEqual({
			code: 0,
			level: canOwn ? "green" : "yellow",
			causes: [],
		});
		const page = await warden.cli(["doctor"]);
		expect(page.stdout).toMatch(canOwn ? /^Everything is fine\.\n/ : /^No errors; /);
		expect(page.code).toBe(0);

		const argv = [daemonFile, "doctor", "--json", "--config", configFile, "--run-dir", runDirectory];
		const other = JSON.parse((await lab.router.run([...installNode(lab.router), ...argv])).stdout);
		expect({ ...other, at: "" }).toEqual({ ...report, at: "" });

		await lab.router.nft(manyRules(2000));
		expect(wrong((await doctor(warden)).report)).toEqual(lacking);
	});

	test("with a proxy that will catch the next handshake is told so before it happens", async () => {
		const { warden } = await establish(lab, {}, birdHealthy());
		await lab.router.nft(ruleset("nikki"));

		const { code, report } = await doctor(warden);

		expect(code).toBe(0);
		// What nikki marks on the way out, the table marks back.
		expect(wrong(report)).toEqual([...lacking, `yellow bgp-caught ${network.peer}`]);
		expect(find(report, "bgp-caught").text).toContain("chain lan_tproxy of table inet nikki");
		// The redirect beside it is harmless: the table keeps BGP away from NAT.
		expect(find(report, "nat-bypassed").evidence?.join()).toContain("redirect to :7892");
	});
});

describe("a session that is down", () => {
	test("because a proxy redirects it and no daemon runs", async () => {
		const warden = install();
		await lab.router.nft(proxyTable);
		const { bird } = await peers();
		await until("BIRD to wait", () => bird.peer(), { holds: ({ bgp }) => bgp === "Passive" });

		const { code, report } = await doctor(warden);

		expect(code).toBe(1);
		expect(report.causes.map(({ id, subject }) => `${id} ${subject}`)).toEqual([
			`bgp-caught ${network.peer}`,
		]);
		expect(report.causes[0]?.evidence).toEqual([
			expect.stringMatching(/^inet proxy pre: tcp dport 179 redirect to :7892 \(handle \d+\)$/),
		]);
		expect(wrong(report)).toEqual([
			`red bgp-caught ${network.peer}`,
			"red daemon-not-running daemon",
			"red table-missing inet custom_bgp",
		]);
	});

	test("because fw4 calls the router's answer invalid", async () => {
		const warden = install();
		await lab.router.nft(fw4Table);
		await lab.router.nft(articleTable);
		const { bird } = await peers();
		await until("BIRD to wait", () => bird.peer(), { holds: ({ bgp }) => bgp === "Passive" });

		const { code, report } = await doctor(warden);

		expect(code).toBe(1);
		expect(report.causes.map(({ id }) => id)).toEqual(["answer-dropped"]);
		expect(report.causes[0]?.evidence?.[0]).toContain("inet fw4 output: ct state invalid drop");
		expect(report.causes[0]?.advice).toContain("raw_out");
	});

	test("because a zone of fw4 rejects it, though the table is there", async () => {
		const closed = ruleset("fw4").replace(
			"\t\tjump accept_from_lan\n",
			"\t\ttcp dport 22 accept\n\t\tjump handle_reject\n",
		);
		await lab.router.nft(closed);
		const { warden, daemon } = startDaemon(lab.router, { mqtt: { enabled: false } });
		await peers();
		await daemon.untilStatus("a peer that is down", (status) =>
			status.peers.some(({ state }) => state === "Passive"),
		);

		const { code, report } = await doctor(warden);

		expect(code).toBe(1);
		const [cause] = report.causes;
		expect(cause).toMatchObject({ level: "red", subject: network.peer });
		expect(JSON.stringify(cause)).toContain("lan");
		expect(wrong(report)).toHaveLength(1 + report.review.filter(({ level }) => level !== "green").length);
	});

	test("because BIRD does not run", async () => {
		lab.router.write(birdConfigFile, birdHealthy());
		const { warden, daemon } = startDaemon(lab.router, { mqtt: { enabled: false } });
		await daemon.untilStatus(
			"BIRD is lost",
			({ router }) => !router.bird.reachable && router.protection !== "missing",
		);
		const { code, report } = await doctor(warden);
		expect(code).toBe(1);
		expect(wrong(report).filter((line) => line.startsWith("red"))).toEqual(["red bird-down BIRD"]);
	});
});

describe("what will break later", () => {
	test("BIRD's configuration against itself and the router's", async () => {
		const config = birdMultihop()
			.replace("passive on;", "")
			.replace(/protocol direct \{[^}]*\}\n/, "");
		const warden = install({
			main: { enabled: false },
			peers: [
				{ name: network.peer, multihop: false, remote_as: 65010, bfd: true },
				{ name: "nobody", address: "192.168.1.9" },
			],
		});
		await startBird(lab.router, config);

		const { report } = await doctor(warden);

		const lines = wrong(report);
		for (const line of [
			`yellow restart-without-passive ${network.peer}`,
			`red direct-missing ${network.peer}`,
			`yellow peer-differs ${network.peer}`,
			`red bfd-mode-mismatch ${network.peer}`,
			"red peer-unknown-to-bird nobody",
			"yellow daemon-off daemon",
		])
			expect(lines).toContain(line);
		expect(find(report, "peer-differs").text).toBe(
			"remote_as is 65010 in /etc/config/bgpwarden and 65009 in BIRD.",
		);
	});

	test("BFD that nobody runs, a file that fw4 would swallow the table with, a configuration with mistakes", async () => {
		const warden = install();
		lab.router.write(configFile, "config bgpwarden 'main'\n\toption pol_interval '5'\n");
		lab.router.write("/etc/config/firewall", "config defaults\n\toption drop_invalid '1'\n");
		lab.router.write("/usr/share/nftables.d/ruleset-post/bgp.nft", articleTable);
		lab.router.write("/usr/share/nftables.d/chain-pre/input/other.nft", "tcp dport 22 accept\n");
		await startBird(lab.router, birdDirect().replace(/protocol bfd \{[^}]*\}\n/, ""));

		const { code, report } = await doctor(warden);

		expect(code).toBe(1);
		const lines = wrong(report);
		for (const line of [
			`red config-errors ${configFile}`,
			`red bfd-missing ${network.peer}`,
			"yellow include-touches-table fw4",
			"yellow firewall-include-missing fw4",
			"red daemon-not-running daemon",
		])
			expect(lines).toContain(line);
		expect(find(report, "config-errors").text).toContain(
			`${configFile}:2: main.pol_interval: unknown option`,
		);
		expect(find(report, "include-touches-table").text).toContain(
			"/usr/share/nftables.d/ruleset-post/bgp.nft",
		);
	});

	test("rules of iptables-legacy, which nft does not show", async () => {
		const warden = install();
		await startBird(lab.router, birdHealthy());
		const redirect = ["-p", "tcp", "--dport", "179", "-j", "REDIRECT", "--to-ports", "7892"];
		await lab.router.run(["iptables-legacy", "-t", "nat", "-A", "PREROUTING", ...redirect]);
		expect(find((await doctor(warden)).report, "legacy-iptables").text).toContain("(nat)");
	});
});

describe("programs that do not answer", () => {
	test("cost seconds, not the answer: nft and BIRD hang", async () => {
		const warden = install();
		const bird = await startBird(lab.router, birdHealthy());
		lab.router.write("/usr/local/sbin/nft", "#!/bin/sh\nexec sleep 60\n", 0o755);
		bird.process.kill("SIGSTOP");

		const { code, report } = await doctor(warden);

		expect(code).toBe(1);
		expect(find(report, "ruleset-unreadable").text).toBe("nft -j -p list ruleset: no end after 5 s");
		expect(find(report, "bird-down").text).toBe("birdcl: no answer in 3 s");
		bird.process.kill("SIGCONT");
	});

	test("or say nonsense", async () => {
		const warden = install();
		for (const name of ["nft", "birdcl", "birdc", "ip"])
			lab.router.write(`/usr/local/sbin/${name}`, "#!/bin/sh\necho nonsense\n", 0o755);
		lab.router.write(birdConfigFile, '{{{{ ;;; include "/dev/null"');
		lab.router.write(`${runDirectory}/status.json`, "{");

		const { code, report } = await doctor(warden);

		expect(code).toBe(1);
		expect(find(report, "daemon-not-running").text).toContain("status.json is no JSON");
		expect(find(report, "ruleset-unreadable").text).toBe(
			"nft -j -p -t list ruleset: its output is not a ruleset",
		);
	});
});

test("what could not be asked is told apart from what was", () => {
	expect(isFailure({ reason: "x", missing: true })).toBe(true);
	expect(isFailure({ tables: [] })).toBe(false);
});
