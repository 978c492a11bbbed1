import type { BirdRoute, KernelRoute, NextHop, PolicyRule } from "../../../src/model/service-path.ts";
import { parseReply, type Reply } from "../../../src/system/bird/replies.ts";
import { parseBirdRoutes } from "../../../src/system/bird/routes-text.ts";
import { parseMtus, parseRoutes, parseRules } from "../../../src/system/kernel/routes-text.ts";
import { captures } from "../captures.ts";
import { type Parser, parser } from "../parser.ts";
import * as is from "../values.ts";

const nextHop = is.shape<NextHop>({ gateway: is.maybe(is.address), interface: is.maybe(is.device) });
const kernelRoute = is.shape<KernelRoute>({
	prefix: is.prefix,
	length: is.whole(0, 128),
	kind: is.matching(/^[a-z]+$/),
	table: is.some,
	protocol: is.maybe(is.some),
	metric: is.count,
	nextHops: is.list(nextHop),
});
const birdRoute = is.shape<BirdRoute>({
	prefix: is.prefix,
	table: is.text,
	protocol: is.some,
	kind: is.some,
	best: is.flag,
	preference: is.maybe(is.count),
	nextHops: is.list(nextHop),
	announcedNextHop: is.maybe(is.address),
});

function reply(text: string): Reply {
	return parseReply(text) ?? { lines: [] };
}

/** What `doctor --service` reads. */
export const SERVICE: readonly Parser[] = [
	parser({
		name: "parseBirdRoutes",
		seeds: captures("bird", /service-.*\.txt$/),
		parse: (text) => parseBirdRoutes(reply(text).lines),
		check: is.list(birdRoute),
		limit: 1 << 20,
		shapes: [
			"1007-1.0.0.0/8 unicast [a 1] * (100)\n",
			"1007-\tvia 1.1.1.1 on a\n",
			{ start: "1007-1.0.0.0/8 unicast [", repeated: "a", end: "\n" },
			{ start: "1007-1.0.0.0/8 unicast [a ", repeated: "(1/", end: "\n" },
			{ start: "1007-", repeated: " ", end: "\n" },
		],
	}),
	parser({
		name: "parseRoutes",
		seeds: captures("ip", /routes\d\.txt$/),
		parse: (text) => parseRoutes(text, 4),
		check: is.list(kernelRoute),
		limit: 1 << 20,
		shapes: ["default dev a\n", "\n\tnexthop", { start: "default ", repeated: "nexthop via 1.1.1.1 dev a " }],
	}),
	parser({
		name: "parseRules",
		seeds: captures("ip", /rules\.txt$/),
		parse: parseRules,
		check: is.list(
			is.shape<PolicyRule>({
				priority: is.whole(0, 9_999_999_999),
				text: is.text,
				table: is.maybe(is.some),
			}),
		),
		limit: 1 << 20,
		shapes: ["1: from all lookup 1\n", "1: ", { start: "1: a", repeated: " lookup" }],
	}),
	parser({
		name: "parseMtus",
		seeds: captures("ip", /links\.txt$/),
		parse: parseMtus,
		check: is.mapOf(is.device, is.whole(0, 999_999_999)),
		limit: 1 << 20,
		shapes: ["1: a§: <> mtu 1 \n", { start: "1: a@", repeated: "b" }, { start: "1: a: <", repeated: "a" }],
	}),
];
