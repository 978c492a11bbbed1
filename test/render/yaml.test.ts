import fc from "fast-check";
import { CORE_SCHEMA, load } from "js-yaml";
import { expect, test } from "vitest";
import { toYaml, type Yaml } from "../../src/render/yaml.ts";

test("what a person would write", () => {
	const object = {
		kind: "BGPPeer",
		spec: {
			peerAddress: "192.168.1.1",
			holdTime: "15s",
			myASN: 65009,
			ebgpMultiHop: true,
			peers: ["a-1", "2"],
			empty: {},
			none: [],
			selectors: [
				{ matchLabels: { "kubernetes.io/hostname": "node-1" } },
				{ key: "x", values: ["fd00::1", ""] },
			],
		},
	};
	expect(toYaml(object)).toBe(`kind: BGPPeer
spec:
  peerAddress: 192.168.1.1
  holdTime: 15s
  myASN: 65009
  ebgpMultiHop: true
  peers:
    - a-1
    - '2'
  empty: {}
  none: []
  selectors:
    - matchLabels:
        kubernetes.io/hostname: node-1
    - key: x
      values:
        - 'fd00::1'
        - ''
`);
});

// YAML 1.1's, of which Kubernetes still knows some.
test.each(
	"y N yes No on OFF true NULL ~ 1 1.5 0x10 0o7 017 1_000 1e3 .5 .inf 12:30:45 2026-12-01 = << - ? : #x a#b a: a:b !x &x *x %x @x `x | > { [ , ' \" it's".split(
		" ",
	),
)("the text %s stays a text", (text) => {
	expect(toYaml([text])).toMatch(/^- (['"].*['"]|a#b)\n$/);
	expect(load(toYaml([text]))).toEqual([text]);
});

test("another program reads what was written, whatever it is", () => {
	const text = fc.oneof(
		fc.string(),
		fc.string({ unit: "binary" }),
		fc.constantFrom("on", "0", "a\nb", "\u0085", "\ufeff"),
	);
	const value = fc.letrec<{ any: Yaml }>((tie) => ({
		any: fc.oneof(
			{ depthSize: "small" },
			text,
			fc.integer(),
			fc.boolean(),
			fc.array(tie("any"), { maxLength: 4 }),
			fc.dictionary(fc.stringMatching(/^[a-z][a-zA-Z./]{0,9}$/), tie("any"), { maxKeys: 4 }),
		),
	})).any;
	fc.assert(
		fc.property(value, (each) => {
			expect(load(toYaml(each), { schema: CORE_SCHEMA })).toEqual(each);
		}),
	);
});
