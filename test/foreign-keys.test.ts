import { fileURLToPath } from "node:url";
import * as ast from "typescript/unstable/ast";
import { API } from "typescript/unstable/sync";
import { expect, test } from "vitest";

/**
 * No ordinary object is keyed by names that others have chosen: it has a `constructor`, a `toString` and a `__proto__` before
 * anybody has put them there. A Map has nothing, and neither has an object without a prototype.
 *
 * What is found is whatever has a key of any text, as the compiler sees it, and is not asked with `Object.hasOwn` first. Where
 * only texts of the program's own can come, it is written here with the reason.
 */
const KNOWN: readonly (readonly [code: string, reason: string])[] = [
	["src/config/option-help.ts: sentences[key]", "a key of the schema's"],
	[
		"src/platform/node.ts: process.env[name]",
		"a variable that the daemon asks for; process.env is no ordinary object",
	],
	[
		"src/report/mqtt/retained-topics.ts: (value as Record<string, unknown>)[name]",
		"members that are asked for by name",
	],
	["src/system/nft/expressions-json.ts: json[name]", "its own first key"],
	["src/system/nft/ruleset-json.ts: entry[kind]", "its own first key"],
	["src/warden/turn.ts: merged[key]", "a property of the state's type"],
	["src/warden/services/attribution.ts: changed[candidate]", "a service of KNOWN_SERVICES"],
	["src/warden/services/services.ts: services.bursts[service]", "a service of WATCHED"],
	["src/warden/services/services.ts: reported[service]", "a service of WATCHED"],
	["src/warden/services/services.ts: [service]", "a service of WATCHED"],
	["src/cli/text/event-lines.ts: Object.fromEntries(details)", "the prototype is taken away at once"],
	[
		"src/report/discovery/entity.ts: Object.fromEntries(Object.entries(entit",
		"entities of the program's own",
	],
	["src/render/plan.ts: Object.fromEntries(entries)", "properties of a session"],
	["src/report/discovery/entity.ts: Object.fromEntries(keys.map((key) => [k", "the same"],
	["src/system/bird/conf/channels.ts: Object.fromEntries(entries)", "properties of ChannelConfiguration"],
	["src/system/bird/conf/options.ts: Object.fromEntries(Object.entries(optio", "properties of BfdOptions"],
	[
		"src/system/bird/conf/protocols.ts: Object.fromEntries(entries.filter(([, v",
		"properties of a configuration",
	],
	["src/system/bird/parse-protocols.ts: Object.fromEntries(Object.entries(field", "properties of a peer"],
	["src/warden/status.ts: Object.fromEntries(Object.entries(value", "properties of the status"],
	[
		"src/warden/table/look-at-firewall.ts: Object.fromEntries(merged.filter(([, va",
		"properties of the facts",
	],
];

/** Every use in `src` of an object by a key that may be any text, as `file: code`. */
function foreignKeys(): string[] {
	const root = fileURLToPath(new URL("..", import.meta.url));
	const api = new API({ cwd: root });
	try {
		const [project] = api.updateSnapshot({ openProject: `${root}tsconfig.json` }).getProjects();
		if (!project) throw new Error("no project");
		const { program, checker } = project;
		const found = new Set<string>();
		for (const path of program.getSourceFileNames().filter((name) => name.startsWith(`${root}src/`))) {
			const file = program.getSourceFile(path);
			if (!file) throw new Error(`${path}: not read`);
			const codeOf = (node: ast.Node) => file.text.slice(ast.getTokenPosOfNode(node, file), node.end);
			const note = (node: ast.Node) => {
				// The call alone, of one that goes on for lines.
				const code = codeOf(node).replace(/^(Object\.\w+\()\s*(.{0,20}).*/s, "$1$2");
				found.add(`${path.slice(root.length)}: ${code}`);
			};
			const isAnyText = (key: ast.Node) => {
				const type = checker.getTypeAtLocation(key);
				return (
					type !== undefined &&
					/(^|\W)(string|any|unknown)(\W|$)/.test(checker.typeToString(type).replace(/"[^"]*"/g, ""))
				);
			};
			const isAsked = (object: ast.Node, key: ast.Node) =>
				file.text.includes(`Object.hasOwn(${codeOf(object)}, ${codeOf(key)})`);
			const visit = (node: ast.Node): undefined => {
				if (ast.isElementAccessExpression(node)) {
					const { expression, argumentExpression: key } = node;
					if (key && isAnyText(key) && !isAsked(expression, key)) note(node);
				} else if (ast.isComputedPropertyName(node) && isAnyText(node.expression)) note(node);
				else if (
					ast.isCallExpression(node) &&
					/^Object\.(fromEntries|groupBy)$/.test(codeOf(node.expression))
				)
					note(node);
				else if (
					ast.isBinaryExpression(node) &&
					node.operatorToken.kind === ast.SyntaxKind.InKeyword &&
					isAnyText(node.left)
				)
					note(node);
				node.forEachChild(visit);
			};
			visit(file);
		}
		return [...found];
	} finally {
		api.close();
	}
}

test("nothing keys an ordinary object by others' names", { timeout: 120_000 }, () => {
	const found = foreignKeys();
	const known = KNOWN.map(([code]) => code);
	expect(found.filter((code) => !known.includes(code))).toEqual([]);
	expect(known.filter((code) => !found.includes(code))).toEqual([]);
});
