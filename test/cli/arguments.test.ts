import { describe, expect, it } from "vitest";
import { parseArguments } from "../../src/cli/arguments.ts";

const GLOBAL = { configPath: "/etc/config/bgpwarden", runDirectory: "/var/run/bgpwarden" };

/** `render` without options. */
const plain = { check: false, live: false, json: false };

/** As typed, words separated by spaces. */
function parse(line: string) {
	return parseArguments(line === "" ? [] : line.split(" "));
}

describe("parseArguments", () => {
	it.each([
		["run", { verb: "run" }],
		["check", { verb: "check" }],
		["status", { verb: "status", json: false }],
		["status --json", { verb: "status", json: true }],
		["--json peers", { verb: "peers", json: true }],
		["doctor", { verb: "doctor", json: false }],
		["doctor --json", { verb: "doctor", json: true }],
		[
			"doctor --service 192.168.20.10 --json",
			{ verb: "doctor", json: true, service: { address: "192.168.20.10" } },
		],
		[
			"doctor --service=FD00:20::0:1 --port 443 --from fd00:10::10",
			{ verb: "doctor", json: false, service: { address: "fd00:20::1", port: 443, from: "fd00:10::10" } },
		],
		["events", { verb: "events", follow: false }],
		["events --follow", { verb: "events", follow: true }],
		["ensure", { verb: "ensure" }],
		["release", { verb: "release" }],
		["flush", { verb: "flush" }],
		["restart waukeen", { verb: "restart", peer: "waukeen" }],
		["restart -- -odd.name", { verb: "restart", peer: "-odd.name" }],
		["trace waukeen", { verb: "trace", peer: "waukeen", seconds: 30 }],
		["trace --seconds 5 192.168.1.2", { verb: "trace", peer: "192.168.1.2", seconds: 5 }],
		["trace fe80::1%br-lan --seconds=3600", { verb: "trace", peer: "fe80::1%br-lan", seconds: 3600 }],
		["render nft", { verb: "render", what: "nft", ...plain }],
		["render bird", { verb: "render", what: "bird", ...plain }],
		["--check render bird --json", { verb: "render", what: "bird", check: true, live: false, json: true }],
		["render bird --check --live", { verb: "render", what: "bird", check: true, live: true, json: false }],
		[
			"render metallb --pool 192.168.20.0/24",
			{
				verb: "render",
				what: "metallb",
				...plain,
				pools: [{ family: 4, text: "192.168.20.0/24", length: 24 }],
			},
		],
		[
			"--pool=2001:DB8::/64 render frr",
			{ verb: "render", what: "frr", ...plain, pools: [{ family: 6, text: "2001:db8::/64", length: 64 }] },
		],
		[
			"render cilium --pool fd00::/64 --secrets --pool 10.0.0.0/8",
			{
				...{ verb: "render", what: "cilium", ...plain, secrets: true },
				pools: [
					{ family: 6, text: "fd00::/64", length: 64 },
					{ family: 4, text: "10.0.0.0/8", length: 8 },
				],
			},
		],
	])("%s", (line, command) => {
		expect(parse(line)).toEqual({ ...command, ...GLOBAL });
	});

	it.each([
		["--config /tmp/c --run-dir /tmp/r check"],
		["check --config=/tmp/c --run-dir=/tmp/r"],
		["--config /x check --run-dir /tmp/r --config /tmp/c"],
	])("takes global options anywhere, the last one counting: %s", (line) => {
		expect(parse(line)).toEqual({ verb: "check", configPath: "/tmp/c", runDirectory: "/tmp/r" });
	});

	it.each([
		"--help",
		"-h",
		"help",
		"help status",
		"help --help route_mark",
		"status --help",
		"nonsense --help",
		"--nonsense --help",
	])("%s asks for help", (line) => {
		expect(parse(line)).toEqual({ verb: "help" });
	});

	it.each(["route_mark", "mqtt.host", "main", "constructor"])("help %s asks about an option", (topic) => {
		expect(parse(`help ${topic}`)).toEqual({ verb: "help", topic });
	});

	it("--version asks for the version", () => {
		expect(parse("--version")).toEqual({ verb: "version" });
	});

	it.each([
		["", "a command is missing"],
		["stauts", "unknown command 'stauts' (did you mean 'status'?)"],
		["frobnicate", "unknown command 'frobnicate'"],
		["constructor", "unknown command 'constructor'"],
		["status --jsno", "unknown option '--jsno' (did you mean '--json'?)"],
		["-x status", "unknown option '-x'"],
		["flush --json", "flush does not take --json"],
		["status --follow", "status does not take --follow"],
		["status --json=1", "--json takes no value"],
		["status --config", "--config needs a file"],
		["status --config=", "--config needs a file"],
		["--run-dir", "--run-dir needs a directory"],
		["status now", "status: unexpected argument 'now'"],
		["help route_mark host", "help: unexpected argument 'host'"],
		["help --nonsense", "unknown option '--nonsense'"],
		["restart", "restart needs the name of a peer"],
		["restart a b", "restart: unexpected argument 'b'"],
		[
			"restart a;b",
			"restart: 'a;b' is not a protocol name of BIRD (letters, digits, '_', '-', '.' and ':', at most 64)",
		],
		["trace", "trace needs the name of a peer, or its address"],
		["trace a --seconds", "--seconds needs a number"],
		["trace a --seconds 0", "trace: --seconds: '0' is not a number of seconds (1 to 3600)"],
		["status --seconds 5", "status does not take --seconds"],
		["render", "render needs what to render: nft, bird, metallb, frr-k8s, cilium or frr"],
		["render frr --check", "render frr does not take --check; only 'render bird' does"],
		["render bird --json", "render: --json needs --check"],
		["render bird --live", "render: --live needs --check"],
		["render nft --pool 10.0.0.0/8", "render nft does not take --pool"],
		["render bird --check --pool 10.0.0.0/8", "render bird --check does not take --pool"],
		["render bird --pool", "--pool needs a prefix such as 192.168.20.0/24"],
		[
			"render bird --pool 192.168.20.1/24",
			"render: --pool: '192.168.20.1/24' is not a prefix such as 192.168.20.0/24 (without bits behind its length)",
		],
		[
			"render bird --pool 10.0.0.0/8 --pool=fd00::/64 --pool 11.0.0.0/8",
			"render: --pool may be given twice, for IPv4 and for IPv6, not twice for IPv4",
		],
		["render nft --secrets", "render nft does not take --secrets"],
		["render bird --check --secrets", "render bird --check does not take --secrets"],
		["status --secrets", "status does not take --secrets"],
		["status --pool 10.0.0.0/8", "status does not take --pool"],
		["status --service 10.0.0.1", "status does not take --service"],
		["doctor --service", "--service needs an address such as 192.168.20.10"],
		[
			"doctor --service 10.0.0.0/8",
			"doctor: --service: '10.0.0.0/8' is not the IPv4 or IPv6 address of one host (without a prefix length)",
		],
		[
			"doctor --service fe80::1%br-lan",
			"doctor: --service: 'fe80::1%br-lan' is not the IPv4 or IPv6 address of one host (without a prefix length)",
		],
		["doctor --port 80", "doctor: --port needs --service"],
		["doctor --from 10.0.0.1", "doctor: --from needs --service"],
		["doctor --service 10.0.0.1 --port 0", "doctor: --port: '0' is not a TCP port (1 to 65535)"],
		[
			"doctor --service 10.0.0.1 --from laptop",
			"doctor: --from: 'laptop' is not the IPv4 or IPv6 address of one host (without a prefix length)",
		],
		[
			"doctor --service 10.0.0.1 --from fd00::1",
			"doctor: --from and --service are not of one address family",
		],
		[
			"render nftt",
			"render: 'nftt' is not one of nft, bird, metallb, frr-k8s, cilium, frr (did you mean 'nft'?)",
		],
	])("refuses '%s'", (line, error) => {
		expect(parse(line)).toEqual({ verb: "usage", error });
	});

	it("keeps what it repeats on one harmless line", () => {
		expect(parseArguments(["a\n\u001b[31m"])).toEqual({
			verb: "usage",
			error: "unknown command 'a\\x0a\\x1b[31m'",
		});
	});
});
