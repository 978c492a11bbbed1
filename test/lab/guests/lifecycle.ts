import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Guest, incidents } from "./guest.ts";
import { Mihomo } from "./mihomo.ts";
import { mihomoRedirect, mihomoTun, nikkiDefault, nikkiTproxy } from "./rulesets.ts";
import { startTailnet, Tailscale } from "./tailscale.ts";
import { World, type WorldOptions } from "./world.ts";

/** A guest's life in a world: it comes, works, suffers every incident, and goes. Nothing of it may reach a session. */
export async function liveThrough(world: World, guest: Guest, which: readonly string[]): Promise<void> {
	await world.act(`${guest.name} started`, () => guest.start());
	await guest.works();
	for (const name of which) {
		const incident = incidents[name];
		if (!incident) throw new Error(`no incident is called ${name}`);
		await world.act(`${guest.name} ${name}`, () => incident(guest));
		await guest.works();
	}
	await world.act(`${guest.name} stopped`, () => guest.stop());
}

/**
 * The daemon had nothing to repair, and what sessions the guests' actions have cost were back within 3 s (`act` demands
 * it); those are told, since there should be none.
 */
export function expectUntouched(world: World): void {
	for (const { action, lost } of world.outcomes)
		for (const [name, milliseconds] of Object.entries(lost))
			process.stdout.write(
				`guests: ${action}: session ${name} was lost, and back within ${milliseconds} ms\n`,
			);
	expect(world.warden.status()?.router.repairs).toBe(0);
	expect(world.outcomes.length).toBeGreaterThan(2);
}

/** The scenarios of one BIRD, with and without `option protect`. */
export function lifecycles(bird: WorldOptions["bird"]): void {
	describe.each([{ protect: true }, { protect: false }])(`BIRD ${bird}, protect $protect`, (main) => {
		let world: World;
		beforeEach(async () => {
			world = await World.start({ bird, main });
		});
		afterEach(() => world.stop());

		test.each([mihomoTun, mihomoRedirect, nikkiDefault, nikkiTproxy])("$name", async (rules) => {
			await liveThrough(world, new Mihomo(world.lab, world.procd, rules), Object.keys(incidents));
			expectUntouched(world);
		});

		test("Tailscale", async () => {
			const tailnet = await startTailnet(world.lab);
			const guest = await Tailscale.install(world.router, world.procd, tailnet);
			await liveThrough(world, guest, Object.keys(incidents));
			expectUntouched(world);
		});
	});
}
