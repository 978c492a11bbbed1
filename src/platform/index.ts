import type { Platform } from "./types.ts";

/** The platform of whichever engine runs this: QuickJS is the one with `scriptArgs`. */
export async function createPlatform(): Promise<Platform> {
	const engine = "scriptArgs" in globalThis ? await import("./quickjs.ts") : await import("./node.ts");
	return engine.createPlatform();
}
