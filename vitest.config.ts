import { defineConfig } from "vitest/config";

/**
 * The labs play in real time, on machines that share their processors with others: in CI a scenario that fails is played
 * once more, and the reporter says that it was. What is broken fails twice.
 */
const retry = process.env.CI === "true" ? 1 : 0;

/**
 * Scenarios on whole routers. Their timers are real, and a busy machine would bend them: one world at a time, except
 * where scenarios wait most of the time.
 */
function laboratory(name: string, include: string, groupOrder: number, maxWorkers = 1) {
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
			retry,
		},
	};
}

export default defineConfig({
	test: {
		projects: [
			{
				test: {
					name: "unit",
					include: ["test/**/*.test.ts"],
					exclude: ["test/lab/**", "test/ha/**"],
					testTimeout: 20_000,
					retry,
				},
			},
			laboratory("lab", "test/lab/scenarios/**/*.lab.ts", 1),
			laboratory("guests", "test/lab/guests/**/*.guest.ts", 2, 2),
			{
				test: {
					name: "ha",
					include: ["test/ha/**/*.ha.ts"],
					globalSetup: ["test/ha/setup.ts"],
					pool: "forks",
					fileParallelism: false,
					maxWorkers: 1,
					sequence: { groupOrder: 3 },
					testTimeout: 120_000,
					hookTimeout: 120_000,
					retry,
				},
			},
		],
	},
});
