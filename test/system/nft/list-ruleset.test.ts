import { expect, test } from "vitest";
import { listRuleset } from "../../../src/system/nft/list-ruleset.ts";
import { FakePlatform, type Script } from "../../fakes/platform.ts";
import { capture, listing } from "./captures.ts";

const nikki = listing("1.1.3", "nikki");

async function list(...runs: Script[]) {
	const platform = new FakePlatform();
	platform.program("nft", (child) => (runs.shift() ?? (() => {}))(child));
	const listed = listRuleset(platform);
	for (let turn = 0; turn < 10; turn++) {
		platform.advance(2000);
		await undefined;
	}
	return { ruleset: await listed, argvs: platform.children.map(({ argv }) => argv.join(" ")) };
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

test("an old nft, whose JSON does not tell it, is asked which tables are dormant", async () => {
	const old = listing("1.0.6", "every-expression");
	const dormant = ({ ruleset }: Awaited<ReturnType<typeof list>>) =>
		"tables" in ruleset && ruleset.tables.map(({ name, dormant }) => `${name} ${dormant}`);
	const asked = await list(prints(old), prints(capture("nft-1.0.6-ruleset-every-expression.txt")));
	expect(asked.argvs).toEqual(["nft -j -p list ruleset", "nft -t list ruleset"]);
	expect(dormant(asked)).toEqual(["every false", "z true"]);
	expect(dormant(await list(prints(old), prints("", 1)))).toEqual(["every false", "z false"]);
	const young = await list(prints(listing("1.1.7", "every-expression")));
	expect(young.argvs).toHaveLength(1);
	expect(dormant(young)).toEqual(["every false", "z true"]);
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
