import { nextTick } from "./host.ts";

/** In place of the npm package `process`: what readable-stream and mqtt read of it. */
export { nextTick };
export const env = {};
export const version = "";
export const versions = {};
