import { describe, expect, test } from "vitest";
import { type MonitorItem, MonitorParser } from "../../../src/system/nft/monitor-text.ts";
import { parseTraceLine, TraceCollector } from "../../../src/system/nft/trace-text.ts";
import { capture, VERSIONS } from "./captures.ts";

function parse(text: string, table = "custom_bgp"): MonitorItem[] {
	const parser = new MonitorParser(table);
	return text.split("\n").flatMap((line) => parser.line(line) ?? []);
}

describe.each(VERSIONS)(
	"a capture by nft %s of the daemon's table being installed and tampered with",
	(version) => {
		const expected = JSON.parse(capture("monitor-tampering.json"));
		const text = capture(`nft-${version}-monitor-tampering.txt`);
		const items = parse(text);

		test("tells what each transaction left of the table, and who made it", () => {
			const transactions = items.flatMap((item) => (item.kind === "transaction" ? item.transaction : []));
			expect(transactions.map(({ touch }) => touch)).toEqual(expected.transactions);
			for (const { pid, process } of transactions) {
				expect(process).toBe("nft");
				expect(pid).toBeGreaterThan(1);
			}
		});

		test("holds nothing that is not understood", () => {
			expect(items.filter(({ kind }) => kind === "garbage" || kind === "gap")).toEqual([]);
		});

		test("shows both packets of a connection that nobody took, on their ways out and in", () => {
			const collector = new TraceCollector();
			for (const line of text.split("\n")) {
				const item = parseTraceLine(line);
				if (item) collector.line(item, 0);
			}
			const packets = collector.drain(100, 40).map(({ packet }) => packet);
			expect(packets).toMatchObject(expected.packets);
			expect(
				packets.map(({ sourcePort, destinationPort }) => [sourcePort, destinationPort].indexOf(179)),
			).toEqual([1, 1, 0, 0]);
		});

		test("says nothing about a table of another name", () => {
			for (const item of parse(text, "custom"))
				expect(item).toMatchObject({ kind: "transaction", transaction: { touch: "none" } });
		});
	},
);

test("a table that is deleted and created again in one transaction is changed, the other way round deleted", () => {
	const generation = "# new generation 7 by process 12 (sh)";
	const touch = (...lines: string[]) => {
		const [item] = parse([...lines, generation].join("\n"));
		return item?.kind === "transaction" ? item.transaction.touch : undefined;
	};
	expect(touch("delete table inet custom_bgp", "add table inet custom_bgp")).toBe("changed");
	expect(touch("add table inet custom_bgp", "delete table inet custom_bgp")).toBe("deleted");
	expect(touch("delete rule inet custom_bgp raw_pre handle 4")).toBe("changed");
	expect(touch("delete table inet custom_bgp2", "delete table ip custom_bgp")).toBe("none");
	expect(touch('add rule inet fw4 input comment "delete table inet custom_bgp"')).toBe("none");
});

test("what is left of fw4's table is told", () => {
	const firewall = (...lines: string[]) => {
		const [item] = parse([...lines, "# new generation 7 by process 12 (nft)"].join("\n"));
		return item?.kind === "transaction" ? item.transaction.firewall : "none";
	};
	expect(firewall("delete table inet fw4")).toBe("missing");
	expect(firewall("add table inet fw4", "add chain inet fw4 input { }")).toBe("there");
	// A restart in one transaction; and a reload, which flushes the table and adds rules to it
	expect(firewall("delete table inet fw4", "add table inet fw4")).toBe("there");
	expect(firewall("delete rule inet fw4 input handle 4", "add rule inet fw4 input accept")).toBe("there");
	expect(firewall("add table inet fw4", "delete table inet fw4")).toBe("missing");
	expect(firewall("delete rule inet fw4 input handle 4")).toBeUndefined();
	expect(firewall("add element inet fw4 s { 1.2.3.4 }")).toBeUndefined();
	expect(firewall("delete table inet fw4x", "delete table ip fw4", "add table inet fw4_x")).toBeUndefined();
	const many = Array.from({ length: 20 }, (_, index) => `delete table ip t${index}`);
	expect(firewall(...many, "delete table inet fw4")).toBe("missing");
	const parser = new MonitorParser("custom_bgp");
	const lines = [
		"delete table inet fw4",
		"# new generation 2 by process 3 (nft)",
		"# new generation 3 by process 4 (nft)",
	];
	const [, first, second] = lines.map((line) => parser.line(line));
	expect(first).toMatchObject({ transaction: { firewall: "missing" } });
	expect(second).not.toHaveProperty("transaction.firewall");
});

test("a process name may hold anything", () => {
	expect(parse("# new generation 7 by process 12 (a) (b)")).toEqual([
		{
			kind: "transaction",
			transaction: { pid: 12, process: "a) (b", touch: "none", marked: false, tables: [] },
		},
	]);
});

test("a transaction with the daemon's mark in a comment of the table's is marked", () => {
	const parser = new MonitorParser("custom_bgp", "0123abcd");
	const rule = (table: string) =>
		`add rule inet ${table} raw_pre return comment "bgpwarden: x (run 0123abcd)"`;
	const marked = (...lines: string[]) => {
		const items = [...lines, "# new generation 2 by process 3 (nft)"].map((line) => parser.line(line));
		const [last] = items.slice(-1);
		return last?.kind === "transaction" && last.transaction.marked;
	};
	expect(marked(rule("custom_bgp"))).toBe(true);
	expect(marked("delete rule inet custom_bgp raw_pre handle 4")).toBe(false);
	expect(marked(rule("other"))).toBe(false);
});

test("messages that the kernel dropped are a gap", () => {
	expect(parse("# ERROR: We lost some netlink events!")).toEqual([{ kind: "gap" }]);
});

test("what nft monitor does not print is garbage, and changes nothing", () => {
	const items = parse(
		"hello\n\u0000\u0001\n# what\ndelete table inet custom_bgp\n# new generation 2 by process 3 (nft)",
	);
	expect(items.map(({ kind }) => kind)).toEqual(["garbage", "garbage", "garbage", "transaction"]);
	expect(items[3]).toMatchObject({ transaction: { touch: "deleted" } });
});

describe("a process's name of any bytes", () => {
	const change = "delete table inet custom_bgp\n# new generation 7 by process 12 (";
	const next = "\nadd table inet custom_bgp\n# new generation 8 by process 13 (nft)";
	test.each([
		["a\nb", "a"],
		["x)\ndelete table", "x"],
		["\n\n\n", ""],
		["a (nft)\r", "a (nft)\r"],
		["\u2028b", "\u2028b"],
		["fifteen bytes\nx", "fifteen bytes"],
	])("%j hides neither its change nor the next one", (name, told) => {
		const items = parse(`${change}${name})${next}`);
		expect(items).toMatchObject([
			{ kind: "transaction", transaction: { pid: 12, process: told, touch: "deleted" } },
			...(name.startsWith("x)") ? [{ kind: "garbage" }] : []),
			{ kind: "transaction", transaction: { pid: 13, process: "nft", touch: "changed" } },
		]);
	});
});
