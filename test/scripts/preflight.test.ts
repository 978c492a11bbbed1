import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const script = fileURLToPath(new URL("../../scripts/preflight.sh", import.meta.url));

/** Runs the script on a machine whose programs are these shell scripts, and what it uses for its text. */
function preflight(programs: Readonly<Record<string, string>>) {
	const directory = mkdtempSync(join(tmpdir(), "preflight-"));
	const usual = { id: "echo 0", uname: "echo Linux", unshare: "exit 0", perl: "exit 0", mount: "exit 0" };
	for (const [name, text] of Object.entries({ ...usual, ...programs })) {
		writeFileSync(join(directory, name), `#!/bin/sh\n${text}\n`);
		chmodSync(join(directory, name), 0o755);
	}
	for (const name of ["tail", "sed"]) symlinkSync(`/usr/bin/${name}`, join(directory, name));
	const { status, stdout, stderr } = spawnSync("/bin/sh", [script], {
		env: { PATH: directory },
		encoding: "utf8",
	});
	return { status, stdout, stderr };
}

/** `unshare` that fails, with these words, when its command line has a word. */
const failing = (word: string, words: string) =>
	`case "$*" in *${word}*) echo '${words}' >&2; exit 1 ;; esac`;

test("a machine that has everything is told nothing", () => {
	expect(preflight({})).toEqual({ status: 0, stdout: "", stderr: "" });
});

test.each([
	{
		what: "another system",
		programs: { uname: "echo Darwin" },
		line: "Linux is needed, and this is Darwin",
	},
	{
		what: "not root",
		programs: { id: "echo 1000" },
		line: "root is needed: it makes network namespaces (sudo make …)",
	},
	{
		what: "no namespaces",
		programs: { unshare: failing("--net", "unshare: unshare failed: Operation not permitted") },
		line: "root may not make namespaces here (unshare failed: Operation not permitted): a container has to be privileged (docker run --privileged)",
	},
	{
		what: "a chroot",
		programs: {
			unshare: failing("--net", "unshare: cannot change root filesystem propagation: Invalid argument"),
		},
		line: "this is a chroot whose root is no mount point: bind it to itself before (mount --bind DIR DIR), or use a container",
	},
	{
		what: "no overlay",
		programs: { unshare: failing("overlay", "mount: /mnt/root: permission denied.") },
		line: "no overlay filesystem can be mounted here (/mnt/root: permission denied.): a container has to be privileged",
	},
	{
		what: "no right to the firewall",
		programs: { unshare: failing("perl", "Operation not permitted") },
		line: "root may not change the firewall here (Operation not permitted): a container has to be privileged (docker run --privileged)",
	},
	{
		what: "no nf_tables",
		programs: { unshare: failing("perl", "Operation not supported") },
		line: "this kernel has no nf_tables for family inet (Operation not supported): it takes CONFIG_NF_TABLES_INET, and its module where it is one",
	},
])("what is missing is said in one line: $what", ({ programs, line }) => {
	expect(preflight(programs as Record<string, string>)).toEqual({
		status: 1,
		stdout: "",
		stderr: `lab: ${line}\n`,
	});
});
