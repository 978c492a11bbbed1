import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
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
	for (const file of [process.execPath, ...libraries]) {
		host.install(file, `${directory}/${basename(file)}`);
		// Debian's Node.js has some of its own modules outside of itself, by names that are built in.
		for (const [module] of readFileSync(file, "latin1").matchAll(/\/usr\/share\/nodejs\/[\w./-]+\.js/g)) {
			host.install(module, module);
		}
	}
	const linker = libraries.find((library) => /\/ld-[^/]*\.so/.test(library));
	const node = `${directory}/${basename(process.execPath)}`;
	if (linker === undefined) return [node];
	return [`${directory}/${basename(linker)}`, "--library-path", directory, node];
}
