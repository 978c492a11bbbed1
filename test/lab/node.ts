import { execFileSync } from "node:child_process";
import { basename } from "node:path";
import type { Host } from "./host.ts";

const directory = "/opt/node";

/**
 * Puts this machine's Node.js on a host, with the libraries that it is linked with: the host may be another distribution.
 * @returns how it is started there
 */
export function installNode(host: Host): readonly string[] {
	// ldd(1): `libnode.so.115 => /lib/x86_64-linux-gnu/libnode.so.115 (0x…)`, and the linker alone, with its path.
	const linked = execFileSync("ldd", [process.execPath], { encoding: "utf8" });
	const libraries = [...linked.matchAll(/(?:=> )?(\/\S+) \(0x/g)].map(([, path = ""]) => path);
	for (const library of [process.execPath, ...libraries]) {
		host.install(library, `${directory}/${basename(library)}`);
	}
	const linker = libraries.find((library) => /\/ld-[^/]*\.so/.test(library));
	const node = `${directory}/${basename(process.execPath)}`;
	if (linker === undefined) return [node];
	return [`${directory}/${basename(linker)}`, "--library-path", directory, node];
}
