import { afterEach, expect, test } from "vitest";
import { expectUntouched, liveThrough } from "../lifecycle.ts";
import { Mihomo } from "../mihomo.ts";
import { rulesets } from "../rulesets.ts";
import { World } from "../world.ts";

let world: World | undefined;
afterEach(() => world?.stop());

/** homeproxy lets through its own mark alone. */
const marks: Readonly<Record<string, number>> = { homeproxy: 100 };

test.each(
	rulesets.map((rules, index) => ({
		rules,
		name: rules.name,
		bird: index % 2 === 0 ? (3 as const) : (2 as const),
	})),
)("sessions live beside the rules of $name (BIRD $bird)", async ({ rules, bird }) => {
	const mark = marks[rules.service];
	world = await World.start({ bird, main: mark === undefined ? {} : { bypass_mark: mark } });
	await liveThrough(world, new Mihomo(world.lab, world.procd, rules), ["restarted"]);
	expectUntouched(world);
});

test("active BIRD, which dials the speaker itself, beside rules that capture the router's own connections", async () => {
	const names = [
		"nikki (tcp tproxy, udp tproxy)",
		"nikki (tcp tun, udp tun)",
		"homeproxy (TUN)",
		"Mihomo (TUN, auto-redirect)",
	];
	const chosen = rulesets.filter(({ name }) => names.includes(name));
	expect(chosen).toHaveLength(names.length);
	world = await World.start({ bird: 3, passive: false });
	for (const rules of chosen) {
		const guest = new Mihomo(world.lab, world.procd, rules);
		await world.act(`${rules.name} started`, () => guest.start());
		// The sessions are dialled anew while the rules are in place.
		await world.bird.control("restart all");
		await world.untilUp(30_000);
		await guest.works();
		await world.act(`${rules.name} stopped`, () => guest.stop());
	}
});
