import { describe, expect, test } from "vitest";
import type { BgpConfiguration, BirdConfiguration } from "../../src/model/bird-configuration.ts";
import { logged, reading, Story, settings, types } from "./story.ts";

const bgp = (localPort?: number, neighborPort?: number): BgpConfiguration => ({
	...{ name: `p${localPort ?? neighborPort ?? 0}`, disabled: false, password: false, channels: [] },
	...(localPort === undefined ? {} : { localPort }),
	...(neighborPort === undefined ? {} : { neighborPort }),
});
const conf = (...all: BgpConfiguration[]): BirdConfiguration => ({
	bgp: all,
	bfd: [],
	direct: [],
	kernel: [],
	device: true,
});
const configured = (configuration: BirdConfiguration | undefined) =>
	({ type: "bird_configured", configuration }) as const;
const ports = (story: Story) => story.status.router.ports;
const done = [{ type: "own_transaction" }, { type: "installed" }] as const;

describe("the ports of the table", () => {
	test("are 179 and those of the configuration, then those of bird.conf: each change is one install", () => {
		const story = Story.kept({ ports: [1179] });
		expect(ports(story)).toEqual([179, 1179]);
		const actions = story.happens(configured(conf(bgp(1790), bgp(undefined, 1791))));
		expect(actions).toContainEqual(
			expect.objectContaining({
				type: "install",
				spec: expect.objectContaining({ ports: [179, 1179, 1790, 1791] }),
			}),
		);
		story.happens(...done, { type: "listed", text: "new" });
		expect(types(story.happens(configured(conf(bgp(1790), bgp(undefined, 1791)))))).not.toContain("install");
		expect(types(story.happens(configured(conf(bgp(1790)))))).toContain("install");
		expect(ports(story)).toEqual([179, 1179, 1790]);
		story.happens(...done);
		story.happens({ type: "configured", settings });
		expect(ports(story)).toEqual([179, 1790]);
	});

	test("stay while bird.conf cannot be read, or is not read yet", () => {
		const story = Story.kept();
		story.happens(configured(conf(bgp(1790))), ...done);
		expect(types(story.happens(configured(undefined)))).not.toContain("install");
		expect(ports(story)).toEqual([179, 1790]);
		story.happens({ type: "configured", settings: { ...settings, ports: [1791] } }, ...done);
		expect(ports(story)).toEqual([179, 1790, 1791]);
		story.happens(configured(conf()));
		expect(ports(story)).toEqual([179, 1791]);
	});

	test("of the table that was found at the start stay until bird.conf has been read", () => {
		const story = new Story();
		story.happens({ type: "watch_started" }, { type: "started" });
		const actions = story.happens({ type: "listed", text: "boot", ports: [179, 1790] });
		expect(actions).toContainEqual(
			expect.objectContaining({ type: "install", spec: expect.objectContaining({ ports: [179, 1790] }) }),
		);
		story.happens(...done, { type: "listed", text: "whole" }, { type: "bird_up" }, reading());
		story.happens(configured(undefined));
		expect(ports(story)).toEqual([179, 1790]);
		story.happens(configured(conf(bgp(1800))));
		expect(ports(story)).toEqual([179, 1800]);
	});

	test("are 16 at the most, 179 among them; the others are told until there are fewer", () => {
		const story = Story.kept();
		const many = [...Array(20)].map((_, number) => bgp(100 + number));
		const actions = story.happens(configured(conf(...many)), ...done);
		expect(ports(story)).toHaveLength(16);
		expect(ports(story)).toContain(179);
		expect(story.status.router).toMatchObject({ problem_kind: "ports", level: "red" });
		expect(story.status.router.problem).toBe(
			"BGP uses 21 ports, and the table covers 16: sessions on port 115, 116, 117, 118, 119 are not protected",
		);
		expect(logged(actions).join()).toContain("are not protected");
		story.happens(configured(undefined));
		expect(ports(story)).toHaveLength(16);
		story.happens(configured(conf(bgp(1790))));
		expect(story.status.router.problem).toBeUndefined();
	});

	test("of bird.conf are flushed, too", () => {
		const story = Story.kept();
		story.happens(configured(conf(bgp(1790))));
		expect(story.happens(...done)).toContainEqual({ type: "flush", ports: [179, 1790] });
	});
});
