import { describeUnknownPeers, remedyForOld } from "../model/bird.ts";
import { describeInclude, describeMissing, FW4_TABLE } from "../model/firewall.ts";
import { missingZones } from "../model/fw4-zone.ts";
import { problemLevel } from "../model/problem.ts";
import type { Facts } from "./facts.ts";
import { isFailure } from "./facts.ts";
import { type Finding, green, red, yellow } from "./finding.ts";
import { reviewTable } from "./table-findings.ts";

/** The first year in which this program existed; a router without a clock starts earlier. */
const FIRST_YEAR = Date.UTC(2024, 0, 1);
/** A program is not older than its clock allows, a day aside for time zones and odd builds. */
const DAY = 86_400_000;

/** Where the package puts what fw4 runs after each of its starts. */
export const FIREWALL_INCLUDE = "/usr/lib/bgpwarden/firewall.include";

/** What is wrong, or may become so, with the router itself and with bgpwarden on it. */
export function reviewRouter(facts: Facts): Finding[] {
	return [
		...daemon(facts),
		...configuration(facts),
		...reviewTable(facts),
		...programs(facts),
		...mqtt(facts),
		...clock(facts),
		...firewall(facts),
		...zones(facts),
	];
}

function daemon(facts: Facts): Finding[] {
	const { status, statusProblem, config } = facts;
	if (!config.main.enabled && !status)
		return [
			yellow(
				"daemon-off",
				"daemon",
				"bgpwarden is switched off (option enabled '0'): nothing is kept in place.",
			),
		];
	if (!status) {
		const why = statusProblem === undefined ? "" : ` (${statusProblem})`;
		return [
			red(
				"daemon-not-running",
				"daemon",
				`The daemon is not running${why}: the table is not repaired, and no peer is watched.`,
				"/etc/init.d/bgpwarden enable; /etc/init.d/bgpwarden start; logread -e bgpwarden says why it ended",
			),
		];
	}
	const { router } = status;
	// Two of them have a finding of their own.
	const own = problemLevel(router.problem_kind) === "yellow";
	if (router.problem !== undefined && !own && !isFound(router.problem, facts))
		return [
			red(
				"problem",
				"daemon",
				router.problem,
				isAbout(router.problem, facts.configPath)
					? "the file has been corrected since: /etc/init.d/bgpwarden reload"
					: "bgpwarden events says what happened before",
			),
		];
	return [green("daemon", "daemon", `The daemon runs (version ${router.version}, pid ${router.pid}).`)];
}

/** Whether a problem of the daemon's is a finding of its own here: it is told once. */
function isFound(problem: string, facts: Facts): boolean {
	const { mistakes, configPath, config, firewall } = facts;
	if (aboutFirewall(facts).includes(problem)) return true;
	if (isAbout(problem, configPath)) return mistakes !== undefined;
	const lives = isFailure(facts.bird) ? undefined : facts.bird.reading.peers;
	if (lives && problem === describeUnknownPeers(config.peers, lives)) return true;
	return firewall !== undefined && problem === missingZones(config, firewall.zones).join("; ");
}

/** Whether a problem is one of the configuration file; each begins with its path. */
function isAbout(problem: string | undefined, configPath: string): boolean {
	return problem?.startsWith(`${configPath}:`) ?? false;
}

function configuration(facts: Facts): Finding[] {
	const { mistakes, configPath, status } = facts;
	if (mistakes) {
		const { errors, instead } = mistakes;
		return errors.map((error) =>
			red("config-errors", configPath, error, `correct it; until then bgpwarden is ${instead}`),
		);
	}
	// The daemon has read an earlier text, and says so.
	if (isAbout(status?.router.problem, configPath) || zones(facts).length > 0) return [];
	return [green("config", configPath, "The configuration has no mistakes.")];
}

function zones({ config, firewall, configPath }: Facts): Finding[] {
	return (firewall ? missingZones(config, firewall.zones) : []).map((text) =>
		red("zone-missing", configPath, text, "name a zone of /etc/config/firewall, or none"),
	);
}

function programs({ programs: found, config, bird }: Facts): Finding[] {
	const findings: Finding[] = [];
	if (!found.has("conntrack"))
		findings.push(
			yellow(
				"conntrack-missing",
				"conntrack",
				"conntrack is not installed: entries that hold a dead session cannot be deleted.",
				"install the package conntrack",
			),
		);
	if (!found.has("birdcl") && !found.has("birdc"))
		findings.push(
			red(
				"bird-client-missing",
				"birdcl",
				"There is no birdcl: BIRD's peers cannot be watched or restarted.",
				"install bird2cl or bird3cl, whichever belongs to BIRD",
			),
		);
	else if (isFailure(bird))
		findings.push(
			red(
				"bird-down",
				"BIRD",
				bird.reason,
				remedyForOld(bird.reason) ?? "/etc/init.d/bird start; logread -e bird says why it ended",
			),
		);
	else findings.push(green("bird", "BIRD", `BIRD ${bird.reading.version ?? ""} answers.`.replace("  ", " ")));
	if (config.mqtt.enabled && config.mqtt.tls && !found.has("openssl"))
		findings.push(
			red(
				"openssl-missing",
				"openssl",
				"MQTT is to use TLS, and openssl is not installed.",
				"install openssl-util",
			),
		);
	if (config.mqtt.enabled && !config.mqtt.tls && !found.has("nc"))
		findings.push(
			red("nc-missing", "nc", "MQTT is switched on, and there is no nc.", "install busybox with nc"),
		);
	return findings;
}

function mqtt({ status, config }: Facts): Finding[] {
	if (!status?.mqtt) {
		if (!status || !config.mqtt.enabled) return [];
		return [
			yellow(
				"mqtt-off",
				"MQTT",
				"MQTT is switched on, but the daemon does not know it yet.",
				"/etc/init.d/bgpwarden reload",
			),
		];
	}
	const { broker, connected, reason } = status.mqtt;
	if (connected && reason !== undefined)
		return [
			yellow(
				"mqtt-message-refused",
				"MQTT",
				`Connected to ${broker}, but ${reason}.`,
				"raise the broker's limit of size or correct its access list, then /etc/init.d/bgpwarden reload",
			),
		];
	if (connected) return [green("mqtt", "MQTT", `Connected to ${broker}.`)];
	const why = reason === undefined ? "" : `: ${reason}`;
	return [
		yellow(
			"mqtt-not-connected",
			"MQTT",
			`Not connected to ${broker}${why}. Home Assistant shows the router as unavailable.`,
		),
	];
}

function clock({ now, built, config }: Facts): Finding[] {
	const earliest = Math.max(FIRST_YEAR, (built ?? 0) - DAY);
	if (now >= earliest) return [green("clock", "clock", "The clock is set.")];
	const said = new Date(now).toISOString().slice(0, 10);
	const text = `The clock is not set: it says ${said}. Times in events are wrong`;
	const advice = "/etc/init.d/sysntpd restart; is there a route to the NTP servers?";
	return config.mqtt.enabled && config.mqtt.tls
		? [red("clock-not-set", "clock", `${text}, and TLS refuses the broker's certificate.`, advice)]
		: [yellow("clock-not-set", "clock", `${text}.`, advice)];
}

/** What the daemon says of fw4, in its words. */
function aboutFirewall({ config, includes, firewallMeant }: Facts): string[] {
	const { table } = config.main;
	return [describeMissing(table, firewallMeant), ...includes.map((each) => describeInclude(table, each))];
}

function firewall(facts: Facts): Finding[] {
	const { firewall: fw4, includes, config, status, ruleset, firewallMeant } = facts;
	const findings: Finding[] = [];
	const [missing = "", ...named] = aboutFirewall(facts);
	const told = (text: string) => status?.router.problem === text;
	const isThere =
		isFailure(ruleset) || ruleset.tables.some(({ family, name }) => `${family} ${name}` === FW4_TABLE);
	if (told(missing) || (!isThere && firewallMeant)) {
		const advice = "service firewall restart; logread -e fw4 says why it failed";
		const level = told(missing) || firewallMeant === "started" ? red : yellow;
		findings.push(level("firewall-missing", "fw4", missing, advice));
	}
	const table = `inet ${config.main.table}`;
	includes.forEach(({ path, line }, index) => {
		const text = `${path} names ${config.main.table} ("${line}"), and becomes a part of fw4's own transaction`;
		const advice = `remove ${path}; bgpwarden keeps ${table} by itself`;
		const [level, what] = named.some(told)
			? [red, named[index] ?? ""]
			: status?.router.protection === "owned"
				? [red, `${text}: the table is owned, so that fw4 starts with no firewall at all.`]
				: [yellow, `${text}: each restart of the firewall changes the table.`];
		findings.push(level("include-touches-table", "fw4", what, advice));
	});
	if (!fw4) return findings;
	if (!fw4.scripts.includes(FIREWALL_INCLUDE))
		findings.push(
			yellow(
				"firewall-include-missing",
				"fw4",
				"The firewall does not tell bgpwarden of its restarts; a lost table is then noticed by the monitor alone.",
				"/usr/lib/bgpwarden/setup adds the include",
			),
		);
	return findings.length > 0
		? findings
		: [green("fw4", "fw4", `fw4 leaves the table alone${status ? " and tells of its restarts" : ""}.`)];
}
