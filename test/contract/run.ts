import { createPlatform } from "../../src/platform/index.ts";
import { runCases } from "./runner.ts";
import { contract } from "./suite.ts";

// Not awaited: while a module of qjs is still being evaluated, its loop runs one promise job a poll and stalls.
createPlatform().then((platform) => runCases(platform, contract));
