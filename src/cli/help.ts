import { type OptionHelp, optionHelp } from "../config/option-help.ts";
import { quoted } from "../lib/printable.ts";
import { didYouMean } from "../lib/suggest.ts";
import type { Platform } from "../platform/types.ts";
import { HELP, helpOfOption } from "./text/help.ts";

/**
 * `help`: the general help; `help OPTION`: what an option of /etc/config/bgpwarden does.
 * @param topic an option, with or without its section (`mqtt.host`), or a section; absent: no option
 * @returns the exit code: 2 when there is no such option
 */
export function help(platform: Platform, topic: string | undefined): number {
	if (topic === undefined) {
		platform.print("stdout", HELP);
		return 0;
	}
	// As uci writes it, too.
	const word = topic.replace(/^bgpwarden\./, "");
	const all = optionHelp();
	const found = all.filter((each) => namesOf(each).includes(word));
	if (found.length === 0) {
		const hint = didYouMean(word, all.flatMap(namesOf));
		platform.print("stderr", `bgpwarden: unknown option ${quoted(word)}${hint}\n`);
		return 2;
	}
	platform.print("stdout", found.map(helpOfOption).join("\n"));
	return 0;
}

function namesOf({ section, option }: OptionHelp): string[] {
	return [option, `${section}.${option}`, section];
}
