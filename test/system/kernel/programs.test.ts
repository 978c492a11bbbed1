import { expect, test } from "vitest";
import { findPrograms } from "../../../src/system/kernel/programs.ts";
import { FakePlatform } from "../../fakes/platform.ts";

test("programs are looked for in PATH, or where they usually are", () => {
	const platform = new FakePlatform();
	platform.files.set("/usr/sbin/nft", "");
	platform.files.set("/usr/sbin/ip", "", "directory");
	platform.files.set("/opt/birdcl", "");
	expect([...findPrograms(platform)]).toEqual(["nft"]);
});
