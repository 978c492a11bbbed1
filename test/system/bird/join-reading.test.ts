import { readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { joinReading } from "../../../src/system/bird/join-reading.ts";
import { parseBfd } from "../../../src/system/bird/parse-bfd.ts";
import { parseProtocols } from "../../../src/system/bird/protocol-reader.ts";
import { parseReply } from "../../../src/system/bird/replies.ts";
import {
	captured,
	FIXTURES,
	fixture,
	NOW,
	readTranscript,
	takeApart,
	VERSIONS,
	withoutRefused,
	withoutTimes,
} from "./transcript.ts";

const cases = readdirSync(FIXTURES)
	.filter((name) => name.endsWith(".json"))
	.map((name) => name.replace(/\.json$/, ""));

describe("a reading of BIRD", () => {
	it.each(cases)("%s", (name) => {
		const transcript = captured(name);
		expect(withoutTimes(readTranscript(withoutRefused(transcript)))).toEqual(
			JSON.parse(fixture(`${name}.json`)),
		);
	});

	it.each(
		VERSIONS.flatMap((version) => ["bfd-table", "default-times"].map((form) => [version, form] as const)),
	)("%s says the same in the form %s", (version, form) => {
		const reading = readTranscript(withoutRefused(captured(`bird-${version}-${form}`)));
		expect(withoutTimes(reading)).toEqual(JSON.parse(fixture(`bird-${version}-all.json`)));
	});

	it("holds the since column as it was printed", () => {
		const since = (name: string) => {
			const reply = parseReply(takeApart(fixture(name)).answers.get("show protocols all") ?? "?");
			const peers = (reply && parseProtocols(reply)) ?? [];
			return peers
				.filter(({ neighborRange }) => neighborRange === undefined)
				.sort((a, b) => (a.name < b.name ? -1 : 1))
				.map(({ sinceText = "none" }) => sinceText);
		};
		for (const text of since("bird-3.1.8-all.txt") ?? []) expect(text).toMatch(/^\d{10}\.\d{3}$/);
		for (const version of VERSIONS)
			for (const text of since(`bird-${version}-default-times.txt`) ?? ["none"])
				expect(text).toMatch(/^\d\d:\d\d:\d\d\.\d{3}$/);
		expect(since("bird-2.0.7-synthetic-all.txt")).toEqual([
			"2026-11-23",
			"11:02:03.004",
			"2026-11-23 11:02:03",
		]);
	});

	it("counts no updates of channels with `import none`", () => {
		const answer = takeApart(fixture("bird-3.1.8-all.txt")).answers.get("show protocols all") ?? "?";
		const updates = (text: string, name: string) => {
			const reply = parseReply(text);
			return reply && parseProtocols(reply)?.find((peer) => peer.name === name)?.updates;
		};
		expect(updates(answer, "waukeen")).toEqual({ received: 3, rejected: 0, filtered: 1, withdrawn: 0 });
		expect(updates(answer.replace(/(Input filter: +)few/, "$1REJECT"), "waukeen")).toBeUndefined();
		// The first of its two channels.
		const [before = "", after = ""] = answer.split("1002-link-local.6");
		const one = `${before}1002-link-local.6${after.replace(/(Input filter: +)ACCEPT/, "$1REJECT")}`;
		expect([updates(answer, "link-local.6")?.received, updates(one, "link-local.6")?.received]).toEqual([
			4, 1,
		]);
	});

	it("is refused whole when an answer is cut anywhere", () => {
		const { greeting, answers } = captured("bird-3.1.8-all");
		for (const [command, answer] of answers) {
			if (!command.startsWith("show")) continue;
			const lines = answer.split(/(?<=\n)/);
			const blocks = lines.flatMap((line, index) => (line.trim() === "" ? [index + 1] : []));
			for (let kept = 1; kept < lines.length; kept++) {
				const reading = readTranscript({
					greeting,
					answers: new Map([...answers, [command, lines.slice(0, kept).join("")]]),
				});
				// At the end of a peer only the missing prompt tells, which the session waits for.
				const tells = !blocks.includes(kept) && !command.includes("bfd") && kept > 1;
				if (tells) expect(reading, `${command} cut after line ${kept}`).toBeUndefined();
			}
			const halfLine = new Map([...answers, [command, answer.slice(0, -1)]]);
			expect(readTranscript({ greeting, answers: halfLine })).toBeUndefined();
		}
	});

	it("is refused when the answer is an error, of another program or of another command", () => {
		const { greeting, answers } = captured("bird-3.1.8-all");
		for (const wrong of [
			"8000 Reply too long\n",
			"8007 Access denied\n",
			"hello\n",
			"1002-\u0000\u0001\n",
			"     continued\n",
			"1002-waukeen BGP\n1006-\n",
			"0013 Daemon is up and running\n1002-a BGP --- up 1 Established\n1006-\n",
			answers.get("show bfd sessions") ?? "",
			"\ufffd".repeat(10_000),
		]) {
			const changed = new Map([...answers, ["show protocols all", wrong]]);
			expect(readTranscript({ greeting, answers: changed }), wrong.slice(0, 30)).toBeUndefined();
		}
	});
});

describe("parseProtocols", () => {
	const parse = (text: string) => parseProtocols(parseReply(text) ?? { lines: [], error: "refused" });
	const peer = (details: string, row = "1002-x BGP        ---        up     2026-11-24    Established   ") =>
		parse(`${row}\n1006-${details}\n     \n`)?.[0];

	it("knows no peers where there are no protocols", () => {
		expect(parse("")).toEqual([]);
	});

	it("lets a second channel's state be the channel's own", () => {
		const details = "  BGP state:          Established\n       Channel ipv6\n         State:          DOWN";
		expect(peer(details)?.state).toBe("Established");
	});

	it("does not take a description for a field", () => {
		const details = "  Description:    x\n       BGP state:          Active";
		expect(peer(details)?.state).toBe("Active");
		expect(peer("  Description:        BGP state:          Active")).not.toHaveProperty("state");
	});

	it("leaves out what it cannot read instead of calling it 0", () => {
		const details =
			"  BGP state:          Active\n         Neighbor address: ::\n         Neighbor AS:      0";
		expect(peer(details)).toEqual({
			name: "x",
			protocolState: "up",
			sinceText: "2026-11-24",
			state: "Active",
		});
	});

	it.each([
		["192.168.1.2", { neighborAddress: "192.168.1.2" }],
		["192.168.1.2%eth1", { neighborAddress: "192.168.1.2", neighborInterface: "eth1" }],
		["fe80::2%br-lan onlink", { neighborAddress: "fe80::2", neighborInterface: "br-lan" }],
	])("reads the neighbor address %s", (text, expected) => {
		expect(peer(`  BGP state:          Active\n         Neighbor address: ${text}`)).toMatchObject(expected);
	});

	it("reads a since column that is as wide as it likes", () => {
		const row =
			"1002-x BGP        ---        start  Tue 24 Nov 2026 11:02:03  Active        Socket: No route";
		expect(peer("  BGP state:          Active", row)?.sinceText).toBe("Tue 24 Nov 2026 11:02:03");
	});
});

describe("parseBfd", () => {
	const parse = (text: string) => parseBfd(parseReply(text) ?? { lines: [], error: "refused" });

	it("knows that there are no sessions where there is no BFD", () => {
		expect(parse("9001 There is no BFD protocol running\n")).toEqual([]);
		expect(parse("1020-bfd1: is not up\n")).toEqual([]);
		expect(parse("1020-bfd1:\n")).toEqual([]);
	});

	it("knows nothing after another error", () => {
		expect(parse("9001 There are multiple BFD protocols running\n")).toBeUndefined();
	});

	it("refuses a state that BIRD does not have", () => {
		const table =
			"1020-bfd1:\n     192.168.1.2               eth0       Sideways   11:00:00        0.100    0.500\n";
		expect(parse(table)).toBeUndefined();
		expect(parse(table.replace("Sideways", "Up      "))).toHaveLength(1);
	});
});

describe("joinReading", () => {
	const both = [
		{ address: "192.168.1.2", interface: "eth0", mode: "direct", state: "up" },
		{ address: "192.168.1.2", mode: "multihop", state: "down" },
	] as const;
	const neighbor = { name: "x", protocolState: "up", neighborAddress: "192.168.1.2" };

	it.each([
		[true, "down"],
		[false, "up"],
	])("takes the BFD session of the BGP session's own mode (multihop %s)", (multihop, bfd) => {
		expect(joinReading({ version: "3" }, [{ ...neighbor, multihop }], both, NOW).peers[0]?.bfd).toBe(bfd);
	});

	it("tells the moment where BIRD's column does", () => {
		const at = (sinceText: string) =>
			joinReading({ version: "3" }, [{ ...neighbor, sinceText }], [], NOW).peers[0]?.since;
		expect(at("1795490142.503")).toBe(1_795_490_142_503);
		expect(at("2026-11-24")).toBeUndefined();
	});

	it("leaves BFD open when it could not be asked", () => {
		expect(joinReading({}, [neighbor], undefined, NOW)).toEqual({ peers: [neighbor] });
		expect(joinReading({}, [neighbor], [], NOW).peers[0]?.bfd).toBe("none");
	});

	it("leaves out templates", () => {
		expect(joinReading({}, [{ ...neighbor, neighborRange: "10.0.0.0/8" }], [], NOW).peers).toMatchObject([
			{ neighborRange: "10.0.0.0/8" },
		]);
	});
});
