/** The names that esbuild binds wherever a package uses them as globals (option `inject`). */
export { Buffer } from "buffer/";
export { clearInterval, clearTimeout, setInterval, setTimeout } from "./host.ts";
export * as process from "./process.ts";
