import type { Platform } from "../../src/platform/types.ts";
import { childCases } from "./children.ts";
import { fileCases } from "./files.ts";
import { pipeCases } from "./pipes.ts";
import { processCases } from "./process.ts";

/** One promise that both platforms keep. */
export interface ContractCase {
	readonly name: string;
	/** @throws Error when the promise is broken */
	run(platform: Platform): Promise<void>;
}

/** The contract of `src/platform/types.ts`; run by Node in node.test.ts and by qjs in quickjs.test.ts. */
export const contract: readonly ContractCase[] = [...processCases, ...childCases, ...pipeCases, ...fileCases];
