import { defineConfig } from "vitest/config";

/**
 * Worlds at a time. Their timers are real and their programs mostly wait: two processors carry this many, and BIRD and FRR
 * go before everything else on them (test/lab/process.ts).
 */
const WORLDS = Number(process.env.JOBS ?? 5);

/** Scenarios on whole routers. */
function laboratory(name: string, include: string, groupOrder: number, maxWorkers: number) {
	return {
		test: {
			name,
			include: [include],
			globalSetup: ["test/lab/setup.ts"],
			pool: "forks" as const,
			fileParallelism: maxWorkers > 1,
			maxWorkers,
			sequence: { groupOrder },
			testTimeout: 60_000,
			hookTimeout: 120_000,
		},
	};
}

export default defineConfig({
	test: {
		// A line for each file, and nothing more about what has passed.
		slowTestThreshold: Number.POSITIVE_INFINITY,
		projects: [
			{
				test: {
					name: "unit",
					include: ["test/**/*.test.ts"],
					exclude: ["test/lab/**", "test/ha/**"],
					testTimeout: 20_000,
				},
			},
			laboratory("lab", "test/lab/scenarios/*.lab.ts", 1, WORLDS),
			// What measures time has the machine for itself.
			laboratory("alone", "test/lab/scenarios/alone/*.lab.ts", 2, 1),
			laboratory("guests", "test/lab/guests/**/*.guest.ts", 3, 2),
			// Each file plays four incidents at once, which mostly wait.
			laboratory("speakers", "test/lab/speakers/*.speaker.ts", 4, 4),
			{
				test: {
					name: "ha",
					include: ["test/ha/**/*.ha.ts"],
					// Only scripts/test-ha.sh knows whether the history is there that 0.1.0 is in.
					exclude: process.env.WITH_UPGRADE ? [] : ["test/ha/upgrade.ha.ts"],
					globalSetup: ["test/ha/setup.ts"],
					pool: "forks",
					fileParallelism: false,
					maxWorkers: 1,
					sequence: { groupOrder: 5 },
					testTimeout: 120_000,
					hookTimeout: 120_000,
				},
			},
		],
	},
});
