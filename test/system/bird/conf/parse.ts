import type { BgpConfiguration, BirdConfiguration } from "../../../../src/model/bird-configuration.ts";
import { parseBirdConfiguration } from "../../../../src/system/bird/conf/parse-conf.ts";

export function parse(text: string): BirdConfiguration {
	return parseBirdConfiguration({ path: "/etc/bird.conf", text });
}

/** The last BGP protocol of a file. */
export function lastBgp(text: string): BgpConfiguration {
	const protocol = parse(text).bgp.at(-1);
	if (!protocol) throw new Error("no BGP protocol");
	return protocol;
}

/** The only BGP protocol of a file that holds these lines. */
export function bgp(...lines: string[]): BgpConfiguration {
	return lastBgp(`protocol bgp x {\n${lines.join("\n")}\n}`);
}
