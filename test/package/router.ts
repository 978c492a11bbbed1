import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseUci } from "../../src/lib/uci.ts";
import { rootfsCommand } from "../qjs.ts";

const FILES = new URL("../../openwrt-package/bgpwarden/files/", import.meta.url);
const INIT = new URL("../../init.d/bgpwarden", import.meta.url);
/** Where the package's scripts look for files; what starts so is moved below the scratch directory. */
const PLACES = /(?<![\w.])\/(?=(?:tmp\/\.uci|etc|var\/run|usr\/lib|usr\/sbin)\/)/g;

/** busybox ash as the lab has it, the shell of OpenWrt; the system's shell where there is no lab. */
export const ASH: readonly [string, ...string[]] = (() => {
	const busybox = rootfsCommand("busybox");
	return busybox ? [...busybox, "ash"] : ["/bin/sh"];
})();

export interface Outcome {
	readonly status: number | null;
	readonly stdout: string;
	readonly stderr: string;
	/** What the doubles were called with, one line each. */
	readonly calls: readonly string[];
}

/** A directory that stands for a router's file system, with the package's scripts in it and doubles on its PATH. */
export class Router {
	readonly root = mkdtempSync(join(tmpdir(), "bgpwarden-router-"));

	/** @param scripts paths on the router, e.g. `/usr/lib/bgpwarden/check.sh` */
	constructor(scripts: readonly string[]) {
		for (const path of scripts) this.install(path);
		this.write("/tmp/calls", "");
	}

	/** Where a path of the router is here. */
	path(path: string): string {
		return join(this.root, path);
	}

	write(path: string, text: string, mode = 0o644): void {
		mkdirSync(dirname(this.path(path)), { recursive: true });
		writeFileSync(this.path(path), text);
		chmodSync(this.path(path), mode);
	}

	/** Puts one of the package's scripts in place; its paths lead into this directory. */
	install(path: string): void {
		const from = path === "/etc/init.d/bgpwarden" ? INIT : new URL(`.${path}`, FILES);
		this.write(path, this.relocate(readFileSync(from, "utf8")), statSync(fileURLToPath(from)).mode);
	}

	/** A script with its paths led into this directory. */
	relocate(script: string): string {
		return script.replace(PLACES, `${this.root}/`);
	}

	/** A program on the PATH that writes its name and arguments down and then does what `script` says. */
	double(name: string, script = ""): void {
		const text = `#!/bin/sh\necho "${name}\${*:+ $*}" >>"${this.path("/tmp/calls")}"\n${script}\n`;
		this.write(`/bin/${name}`, text, 0o755);
	}

	/** Runs a script of the shell's language. */
	run(
		script: string,
		options: { input?: string; env?: Record<string, string>; limit?: number } = {},
	): Outcome {
		writeFileSync(this.path("/tmp/calls"), "");
		const [shell, ...args] = ASH;
		const result = spawnSync(shell, [...args, "-c", script], {
			env: { PATH: `${this.path("/bin")}:${process.env.PATH}`, ...options.env },
			encoding: "utf8",
			input: options.input ?? "",
			timeout: options.limit ?? 20_000,
		});
		const { status, stdout, stderr } = result;
		const calls = readFileSync(this.path("/tmp/calls"), "utf8").replaceAll(this.root, "");
		return { status, stdout, stderr, calls: calls.split("\n").filter((line) => line !== "") };
	}

	remove(): void {
		rmSync(this.root, { recursive: true, force: true });
	}
}

/**
 * A stand-in for uci that does with what is staged as uci does: `commit` takes all of it into the files and empties the default
 * directory, whatever `-t` and `-P` say; without a name it does so for each file.
 */
export function realUci(router: Router): string {
	return `while :; do case $1 in -q) shift ;; -c | -t | -P) shift 2 ;; *) break ;; esac; done
staged="${router.path("/tmp/.uci")}"
mkdir -p "$staged"
case $1 in
set | delete) echo "$2" >>"$staged/\${2%%.*}" ;;
commit)
	for file in "$staged/"\${2:-*}; do
		[ -s "$file" ] && cat "$file" >>"${router.path("/etc/config")}/\${file##*/}" && rm "$file"
	done ;;
get) exit 1 ;;
esac`;
}

/**
 * OpenWrt's config_load, config_get, config_get_bool and config_foreach (/lib/functions.sh) as shell functions, over
 * configurations that are parsed here.
 * @param text of /etc/config/bgpwarden; undefined: uci cannot read it @param lastGood of /etc/bgpwarden/last-good
 */
export function uciFunctions(text: string | undefined, lastGood?: string): string {
	const names: string[] = [];
	const cases: string[] = [];
	const files = [
		{ path: "/etc/config/bgpwarden", text },
		{ path: "/etc/bgpwarden/last-good", text: lastGood },
	];
	for (const { path, text = "" } of files) {
		const parsed = parseUci(text);
		if ("errors" in parsed) throw new Error(parsed.errors.map((error) => error.message).join("; "));
		const of: string[] = [];
		for (const [index, section] of parsed.sections.entries()) {
			const name = section.name ?? `cfg${index}`;
			of.push(`${section.type}/${name}`);
			for (const { name: option, values } of section.options.values())
				cases.push(`\t*'${path}:${name}.${option}') value='${values.join(" ").replaceAll("'", `'\\''`)}' ;;`);
		}
		names.push(`\t*'${path}') sections='${of.join(" ")}' ;;`);
	}
	return `
config_load() { loaded=\${UCI_CONFIG_DIR:-/etc/config}/$1; }
config_get() {
	local value=
	case "$loaded:$2.$3" in
${cases.join("\n")}
	esac
	eval "$1=\\\${value:-\\$4}"
}
config_get_bool() {
	local yes
	config_get yes "$2" "$3" "$4"
	case $yes in 1 | on | true | yes | enabled) yes=1 ;; 0 | off | false | no | disabled) yes=0 ;; *) yes=$4 ;; esac
	eval "$1=\\$yes"
}
config_foreach() {
	local each sections action=$1 type=$2
	case $loaded in
${names.join("\n")}
	esac
	shift 2
	for each in $sections; do
		[ "\${each%%/*}" != "$type" ] || "$action" "\${each#*/}" "$@"
	done
}
`;
}
