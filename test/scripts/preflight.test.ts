import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const script = fileURLToPath(new URL("../../scripts/preflight.sh", import.meta.url));

/** Runs the script on a machine whose programs are these shell scripts, and what it uses for its text. */
function preflight(programs: Readonly<Record<string, string>>, ...needs: string[]) {
	const directory = mkdtempSync(join(tmpdir(), "preflight-"));
	const usual = {
		id: "echo 0",
		uname: "echo Linux",
		cat: "echo 0 0 4294967295",
		unshare: "exit 0",
		perl: "exit 0",
		mount: "exit 0",
	};
	for (const [name, text] of Object.entries({ ...usual, ...programs })) {
		writeFileSync(join(directory, name), `#!/bin/sh\n${text}\n`);
		chmodSync(join(directory, name), 0o755);
	}
	for (const name of ["tail", "sed"]) symlinkSync(`/usr/bin/${name}`, join(directory, name));
	const { status, stdout, stderr } = spawnSync("/bin/sh", [script, ...needs], {
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
		programs: { unshare: failing("overlay", "mount: /mnt/root: permission denied.\n       dmesg(1) may …") },
		line: "no overlay filesystem can be mounted over this directory (/mnt/root: permission denied): a container has to be privileged",
	},
	{
		what: "no /proc of its own",
		programs: { unshare: failing("/proc", "mount: /proc: permission denied.") },
		line: "/proc cannot be mounted (/proc: permission denied): a container has to be privileged (docker run --privileged)",
	},
	{
		what: "a user namespace with too few users",
		programs: { cat: "echo 0 1000 1; echo 1 100000 999" },
		line: "this user namespace has 1000 of the 65,536 user ids that the lab's programs run as (rootless Docker and podman have them)",
	},
	{
		what: "no right to the firewall",
		programs: {
			unshare: failing("perl", "nf_tables for family inet: Operation not permitted (CONFIG_NF_TABLES_INET)"),
		},
		line: "root may not change the network here (nf_tables for family inet: Operation not permitted): a container has to be privileged (docker run --privileged)",
	},
	{
		what: "a kernel without a part",
		programs: { unshare: failing("perl", "veth links: Operation not supported (CONFIG_VETH)") },
		line: "this kernel has no veth links: Operation not supported (CONFIG_VETH), or its module is missing",
	},
])("what is missing is said in one line: $what", ({ programs, line }) => {
	expect(preflight(programs as Record<string, string>)).toEqual({
		status: 1,
		stdout: "",
		stderr: `lab: ${line}\n`,
	});
});

test("TUN devices are looked for where they are needed", () => {
	const programs = { unshare: failing("tun", "sh: 1: cannot open /mnt/tun: No such device") };
	expect(preflight(programs).status).toBe(0);
	const { status, stderr } = preflight(programs, "tun");
	expect({ status, lines: stderr.split("\n") }).toEqual({
		status: 1,
		lines: [expect.stringContaining("no TUN devices (cannot open /mnt/tun: No such device)"), ""],
	});
});
