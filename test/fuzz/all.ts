import type { Parser } from "./parser.ts";
import { BIRD_CONF } from "./parsers/bird-conf.ts";
import { BIRD_REPLIES } from "./parsers/bird-replies.ts";
import { CLI } from "./parsers/cli.ts";
import { CONFIG } from "./parsers/config.ts";
import { KERNEL } from "./parsers/kernel.ts";
import { LIB } from "./parsers/lib.ts";
import { MQTT } from "./parsers/mqtt.ts";
import { NETWORKS } from "./parsers/networks.ts";
import { NFT_TEXT } from "./parsers/nft.ts";
import { OPENWRT } from "./parsers/openwrt.ts";
import { RULESET } from "./parsers/ruleset.ts";
import { SERVICE } from "./parsers/service.ts";

/** Every parser of a text that somebody else has written. */
export const ALL: readonly Parser[] = [
	...[LIB, CONFIG, CLI, NFT_TEXT, RULESET].flat(),
	...[BIRD_CONF, BIRD_REPLIES, KERNEL, NETWORKS, OPENWRT, MQTT, SERVICE].flat(),
];
