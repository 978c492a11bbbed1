import { describe, expect, it } from "vitest";
import { parseGreeting, parseReply } from "../../../src/system/bird/replies.ts";
import { fixture, takeApart, VERSIONS } from "./transcript.ts";

describe("parseReply", () => {
	it("gives continuation lines the code of the line above", () => {
		expect(parseReply("1002-a\n     b\n1006-  c\n     \n")).toEqual({
			lines: [
				{ code: 1002, text: "a" },
				{ code: 1002, text: "b" },
				{ code: 1006, text: "  c" },
				{ code: 1006, text: "" },
			],
		});
	});

	it("takes nothing for an answer: BIRD's final 0000 is not printed", () => {
		expect(parseReply("")).toEqual({ lines: [] });
	});

	it.each(VERSIONS)("says in BIRD's words what %s refused", (version) => {
		const { answers } = takeApart(fixture(`bird-${version}-refusals.txt`));
		const errors = [...answers].map(([command, answer]) => [command, parseReply(answer)?.error]);
		expect(errors.filter(([command]) => command !== "")).toEqual([
			["configure", "Access denied"],
			["restart waukeen", "Access denied"],
			["frobnicate", "No such command. Press `?' for help."],
			["show protocols all foo", expect.stringMatching(/^syntax error, unexpected CF_SYM_UNDEFINED/)],
		]);
	});

	it("does not hear what BIRD says unasked", () => {
		expect(parseReply(">>> bird: reconfigured\n1002-a\n")?.lines).toHaveLength(1);
	});

	it.each([
		"garbage\n",
		"     first\n",
		"1002-half",
		"12-x\n",
		"0013 done\n1002-more\n",
		"??? <?<too-long>>\n",
	])("refuses %j", (text) => {
		expect(parseReply(text)).toBeUndefined();
	});
});

describe("parseGreeting", () => {
	it.each(VERSIONS)("knows BIRD %s", (version) => {
		expect(parseGreeting(takeApart(fixture(`bird-${version}-all.txt`)).greeting)).toEqual({ version });
	});

	it("takes a greeting without a version", () => {
		expect(parseGreeting("0001 Welcome\n")).toEqual({});
	});

	it.each(["", "220 ftp\n", "0013 Daemon is up and running\n"])("refuses %j", (text) => {
		expect(parseGreeting(text)).toBeUndefined();
	});
});
