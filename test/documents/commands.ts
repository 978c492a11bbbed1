import { blocksOf, codeSpans, read } from "./markdown.ts";

/** A command as a document shows it: its words, without `sudo` and variables in front. */
export type ShownCommand = readonly [program: string, ...args: string[]];

/** What stands for something in usage lines, and an example of it. */
const PLACEHOLDERS: Readonly<Record<string, string>> = {
	PEER: "waukeen",
	OPTION: "route_mark",
	N: "5",
	PREFIX: "192.168.20.0/24",
	FILE: "/etc/config/bgpwarden",
	DIR: "/var/run/bgpwarden",
	ADDRESS: "192.168.20.10",
	CLIENT: "192.168.10.20",
};

/** Every command in the fenced blocks of a document that a person is to type: `sh`, and what follows `$ ` in `console`. */
export function typedCommands(path: string): ShownCommand[] {
	return blocksOf(read(path)).flatMap(({ language, text }) => {
		const lines = text.split("\n");
		if (language === "sh") return lines.flatMap(commandsOf);
		if (language !== "console") return [];
		return lines.filter((line) => line.startsWith("$ ")).flatMap((line) => commandsOf(line.slice(2)));
	});
}

/** Commands of these programs in the prose, in backticks. `[--json]` is what may be added; here it is. */
export function namedCommands(path: string, programs: readonly string[]): ShownCommand[] {
	return codeSpans(read(path))
		.filter((text) => programs.some((program) => text.startsWith(`${program} `)))
		.flatMap((text) => commandsOf(text.replace(/[[\]]/g, "")));
}

/** @param line of a shell: several commands with `;`, `&&`, `|`, and perhaps a comment */
export function commandsOf(line: string): ShownCommand[] {
	return line
		.replace(/(^|\s)#.*$/, "")
		.split(/\s*(?:&&|\|\||[;|])\s*/)
		.flatMap((part) => {
			const words = (part.match(/(?:'[^']*'|"[^"]*"|[^\s'"])+/g) ?? [])
				.filter((word) => word !== "sudo")
				.map((word) => word.replace(/^(['"])(.*)\1$/, "$2"))
				.map((word) => (Object.hasOwn(PLACEHOLDERS, word) ? (PLACEHOLDERS[word] ?? word) : word));
			while (/^[A-Z_]+=/.test(words[0] ?? "")) words.shift();
			const [program, ...args] = words;
			return program === undefined ? [] : [[program, ...args] as const];
		});
}

/** Applies `uci set` to a configuration that has only the sections that are always there. @returns the file's text */
export function configured(settings: readonly string[]): string {
	const sections = new Map<string, { type: string; options: Map<string, string> }>([
		["main", { type: "bgpwarden", options: new Map() }],
		["mqtt", { type: "mqtt", options: new Map() }],
	]);
	for (const setting of settings) {
		const [, name = "", option, value = ""] = /^bgpwarden\.(\w+)(?:\.(\w+))?=(.*)$/.exec(setting) ?? [];
		const known = sections.get(name);
		if (option === undefined && value !== "") sections.set(name, { type: value, options: new Map() });
		else if (option !== undefined && known) known.options.set(option, value);
		else throw new Error(`uci set ${setting}: no such section, or not an assignment`);
	}
	return [...sections]
		.map(([name, { type, options }]) =>
			[
				`config ${type} '${name}'`,
				...[...options].map(([option, value]) => `\toption ${option} '${value}'`),
				"",
			].join("\n"),
		)
		.join("\n");
}
