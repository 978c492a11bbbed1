import { expect, test } from "vitest";
import { createPlatform } from "../../src/platform/node.ts";
import { contract } from "./suite.ts";

const platform = await createPlatform();

for (const { name, run } of contract) {
	test(`Node: ${name}`, async () => {
		await expect(run(platform)).resolves.toBeUndefined();
	});
}
