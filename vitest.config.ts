import { defineConfig } from "vitest/config";

export default defineConfig({
	test: {
		projects: [
			{
				test: {
					name: "unit",
					include: ["test/**/*.test.ts"],
					exclude: ["test/lab/**", "test/ha/**"],
				},
			},
			{
				test: {
					name: "lab",
					include: ["test/lab/**/*.lab.ts"],
					globalSetup: ["test/lab/setup.ts"],
					pool: "forks",
					// One world at a time: its timers are real, and a busy machine would bend them.
					fileParallelism: false,
					maxWorkers: 1,
					sequence: { groupOrder: 1 },
					testTimeout: 60_000,
					hookTimeout: 120_000,
				},
			},
			{
				test: {
					name: "ha",
					include: ["test/ha/**/*.ha.ts"],
					globalSetup: ["test/ha/setup.ts"],
					pool: "forks",
					fileParallelism: false,
					maxWorkers: 1,
					sequence: { groupOrder: 2 },
					testTimeout: 120_000,
					hookTimeout: 120_000,
				},
			},
		],
	},
});
