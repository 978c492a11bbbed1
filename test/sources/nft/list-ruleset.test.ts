import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { listRuleset } from "../../../src/sources/nft/list-ruleset.ts";
import { FakePlatform, type Script } from "../../fakes/platform.ts";

const nikki = readFileSync(
	new URL("../../fixtures/nft/nft-1.1.3-ruleset-nikki.json", import.meta.url),
	"utf8",
);

async function list(...runs: Script[]) {
	const platform = new FakePlatform();
	platform.program("nft", (child) => (runs.shift() ?? (() => {}))(child));
	const listing = listRuleset(platform);
	for (let turn = 0; turn < 10; turn++) {
		platform.advance(2000);
		await undefined;
	}
	return { ruleset: await listing, argvs: platform.children.map(({ argv }) => argv.join(" ")) };
}

const prints =
	(text: string, code = 0): Script =>
	(child) => {
		child.out(text);
		child.end({ code });
	};

test("a listing that is cut short is asked for once more without elements", async () => {
	const { ruleset, argvs } = await list(prints(nikki.slice(0, -10)), prints(nikki));
	expect(argvs).toEqual(["nft -j -p list ruleset", "nft -j -p -t list ruleset"]);
	if (!("tables" in ruleset)) throw new Error(ruleset.reason);
	expect(ruleset.tables[0]?.sets.get("reserved_ip")?.elements()).toBeUndefined();
});

test("what keeps nft from listing is told", async () => {
	expect((await list(prints("", 127))).ruleset).toEqual({ reason: "nft: not found", missing: true });
	expect((await list(prints("", 1))).ruleset).toEqual({
		reason: "nft -j -p list ruleset: exit 1",
		missing: false,
	});
	expect((await list(() => {})).ruleset).toEqual({
		reason: "nft -j -p list ruleset: no end after 5 s",
		missing: false,
	});
});
