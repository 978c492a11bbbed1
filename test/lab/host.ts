import { type ChildProcess, spawn } from "node:child_process";
import {
	chmodSync,
	copyFileSync,
	mkdirSync,
	readdirSync,
	readFileSync,
	readlinkSync,
	writeFileSync,
} from "node:fs";
import { dirname } from "node:path";
import { labDirectory, rootfsName } from "./paths.ts";
import {
	type Process,
	type RunOptions,
	type RunResult,
	runProcess,
	type StartOptions,
	startProcess,
} from "./process.ts";
import { until } from "./wait.ts";

/**
 * A host is this shell, in network, mount and UTS namespaces of its own. Nothing of it has a name outside: when the
 * pipe from its owner closes, because the lab stops or because the owner was killed, the shell ends every process of
 * its mount namespace, and with the last of them the kernel drops the namespaces, mounts and links.
 * The process ids are the machine's, so that `nft monitor`'s "by process" agrees with /proc.
 */
const holderScript = `
set -e
# What ends below is everything in this mount namespace: it must not be the machine's.
[ "$(readlink /proc/self/ns/mnt)" != "$4" ]
trap '' INT TERM HUP
mount -t tmpfs -o mode=755 tmpfs mnt
mkdir mnt/upper mnt/work mnt/root
mount -t overlay "$1" -o "lowerdir=$3",upperdir=mnt/upper,workdir=mnt/work mnt/root
cd mnt/root
mount -t proc proc proc
# In a user namespace no device of ours can be opened.
( : >dev/null ) 2>&- || mount --rbind /dev dev
mount -t tmpfs tmpfs run
mount -t tmpfs -o mode=1777 tmpfs tmp
ln -sfn ../run var/run
pivot_root . mnt
cd /
umount -l mnt
hostname "$2"
ip link set lo up
echo ready
while read -r _; do :; done
mine=$(readlink /proc/self/ns/mnt)
left=1
while [ $left = 1 ]; do
	left=0
	for process in /proc/[0-9]*; do
		[ "$process" != /proc/$$ ] || continue
		[ "$(readlink $process/ns/mnt)" = "$mine" ] || continue
		kill -KILL "\${process#/proc/}" || continue
		left=1
	done
done
`;

// BIRD and FRR run as users of their own, whatever whoever runs the tests lets others read.
process.umask(0o022);

const namePrefix = "bgpwarden-host";

/** Start of a process in clock ticks since boot, which with the pid names it for ever; undefined when it is gone. */
function startTicks(pid: number): string | undefined {
	try {
		const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
		// proc_pid_stat(5): field 22, counted after the parenthesised name, which may hold spaces.
		return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
	} catch {
		return undefined;
	}
}

function processIds(): number[] {
	return readdirSync("/proc")
		.filter((name) => /^\d+$/.test(name))
		.map(Number);
}

/** The number of the process id namespace: an id means a process only in there. */
function processNamespace(): string {
	return /\d+/.exec(readlinkSync("/proc/self/ns/pid"))?.[0] ?? "0";
}

/** Whether this is a container: the kernel then tells the daemon process ids that mean nothing in here. */
export const contained = processNamespace() !== "4026531836"; // PROC_PID_INIT_INO, include/linux/proc_ns.h

/**
 * Ends by pid what a lab left behind whose owner is dead: every process whose root is such a lab's overlay. The labs of
 * containers on this machine are left to them: who owns those cannot be seen from here.
 */
export function cleanLeftovers(): number[] {
	const ended: number[] = [];
	const overlay = new RegExp(` - overlay ${namePrefix}-${processNamespace()}-(\\d+)-(\\d+)-`);
	for (const pid of processIds()) {
		let mounts: string;
		try {
			mounts = readFileSync(`/proc/${pid}/mountinfo`, "utf8");
		} catch {
			continue;
		}
		const owner = mounts.match(overlay);
		if (owner === null || startTicks(Number(owner[1])) === owner[2]) continue;
		try {
			process.kill(pid, "SIGKILL");
			ended.push(pid);
		} catch {
			// It ended by itself meanwhile.
		}
	}
	return ended;
}

/** A machine of the lab: network, filesystem and host name of its own, the process ids of the real machine. */
export class Host {
	/** Addresses with prefix length, by interface, so that a link that went down gets them back. */
	private readonly addresses = new Map<string, readonly string[]>();

	private constructor(
		readonly name: string,
		private readonly holder: ChildProcess,
		/** The process that holds the namespaces; `ip link … netns PID` wants it. */
		readonly pid: number,
	) {}

	/**
	 * @param layers root filesystems in .lab, the uppermost first
	 * @throws Error with what the kernel or mount said
	 */
	static async start(name: string, layers: readonly string[] = [rootfsName]): Promise<Host> {
		mkdirSync(`${labDirectory}/mnt`, { recursive: true });
		const owner = `${processNamespace()}-${process.pid}-${startTicks(process.pid)}`;
		const overlay = `${namePrefix}-${owner}-${name}`;
		const namespaces = ["--net", "--mount", "--uts", "--propagation", "private"];
		const holder = spawn(
			"unshare",
			[
				...namespaces,
				"sh",
				"-c",
				holderScript,
				"sh",
				overlay,
				name,
				layers.join(":"),
				readlinkSync("/proc/self/ns/mnt"),
			],
			{
				cwd: labDirectory,
				detached: true,
				stdio: "pipe",
			},
		);
		let said = "";
		holder.stderr.on("data", (chunk) => {
			said += chunk;
		});
		await new Promise<void>((resolve, reject) => {
			holder.stdout.once("data", () => resolve());
			holder.once("error", reject);
			holder.once("close", () => reject(new Error(`lab: host ${name} did not start: ${said.trim()}`)));
		});
		return new Host(name, holder, holder.pid ?? -1);
	}

	/** Ends every process of the host, and with them the host. Safe to call twice. */
	async stop(): Promise<void> {
		if (this.holder.exitCode !== null || this.holder.signalCode !== null) return;
		const closed = new Promise((resolve) => this.holder.once("close", resolve));
		this.holder.stdin?.end();
		await closed;
	}

	private inside(argv: readonly string[]): string[] {
		// -r: in a chroot the root of the namespace is the machine's still.
		return ["nsenter", "-t", String(this.pid), "-n", "-m", "-u", "-r", "--", ...argv];
	}

	/** Runs a program on the host to its end. @throws Error unless it exits 0 or failure is allowed */
	run(argv: readonly string[], options?: RunOptions): Promise<RunResult> {
		return runProcess(`${this.name}: ${argv.join(" ")}`, this.inside(argv), options);
	}

	/** Starts a program on the host that goes on; its pid is the program's own. */
	start(argv: readonly string[], options: StartOptions): Process {
		const command = options.urgent ? ["nice", "-n", "-10", ...argv] : argv;
		return startProcess(this.inside(command), { ...options, name: `${this.name}: ${options.name}` });
	}

	/** Where a file of the host is for this process; symbolic links are followed as the host would. */
	private path(path: string): string {
		const root = `/proc/${this.pid}/root`;
		const waiting = path.split("/");
		const resolved: string[] = [];
		for (let links = 0; waiting.length > 0; ) {
			const part = waiting.shift();
			if (part === undefined || part === "" || part === ".") continue;
			if (part === "..") {
				resolved.pop();
				continue;
			}
			let target: string | undefined;
			try {
				target = readlinkSync([root, ...resolved, part].join("/"));
			} catch {
				// Not a link, or not there yet.
			}
			if (target === undefined) resolved.push(part);
			else {
				if (++links > 40) throw new Error(`${this.name}: ${path}: too many symbolic links`);
				if (target.startsWith("/")) resolved.length = 0;
				waiting.unshift(...target.split("/"));
			}
		}
		return [root, ...resolved].join("/");
	}

	/** Writes a file, making the directories above it. */
	write(path: string, text: string, mode = 0o644): void {
		const file = this.path(path);
		mkdirSync(dirname(file), { recursive: true });
		writeFileSync(file, text);
		chmodSync(file, mode);
	}

	/** Puts a program of this machine on the host, executable. */
	install(file: string, path: string): void {
		const target = this.path(path);
		mkdirSync(dirname(target), { recursive: true });
		copyFileSync(file, target);
		chmodSync(target, 0o755);
	}

	/** The file's text, or undefined when it does not exist. */
	read(path: string): string | undefined {
		try {
			return readFileSync(this.path(path), "utf8");
		} catch (error) {
			// ESRCH: a file of /proc whose process has just ended.
			const code = error instanceof Error && "code" in error ? error.code : undefined;
			if (code === "ENOENT" || code === "ESRCH") return undefined;
			throw error;
		}
	}

	/** Replaces the ruleset or adds to it: the text goes to `nft -f -`. */
	async nft(text: string): Promise<void> {
		await this.run(["nft", "-f", "-"], { stdin: text });
	}

	/** Gives an interface its addresses (with prefix length) and brings it up. */
	async configure(interfaceName: string, addresses: readonly string[]): Promise<void> {
		this.addresses.set(interfaceName, addresses);
		await this.link(interfaceName, "up");
	}

	/** Takes a link down, or up again with the addresses it had. */
	async link(interfaceName: string, state: "up" | "down"): Promise<void> {
		const commands = [`link set ${interfaceName} ${state}`];
		for (const address of state === "up" ? (this.addresses.get(interfaceName) ?? []) : []) {
			// Duplicate address detection would keep an IPv6 address unusable for its first second.
			commands.push(
				`address replace ${address} dev ${interfaceName}${address.includes(":") ? " nodad" : ""}`,
			);
		}
		await this.run(["ip", "-batch", "-"], { stdin: `${commands.join("\n")}\n` });
	}

	/** Ids of the processes running on the host. */
	processes(): number[] {
		const mine = readlinkSync(`/proc/${this.pid}/ns/mnt`);
		return processIds().filter((pid) => {
			try {
				return pid !== this.pid && readlinkSync(`/proc/${pid}/ns/mnt`) === mine;
			} catch {
				return false; // ended meanwhile, or a zombie
			}
		});
	}

	/**
	 * Sends a signal to one process of the host. @throws Error when there is none: to the kernel, the id of a process that was
	 * not found (-1) would mean every process of the machine
	 */
	signal(pid: number | undefined, signal: NodeJS.Signals): void {
		if (pid === undefined || !this.processes().includes(pid))
			throw new Error(`${this.name}: no process ${pid} to send ${signal} to`);
		process.kill(pid, signal);
	}

	/**
	 * Sends a signal to those of the processes that are there: what was found by its command line may have ended since.
	 * @returns the ids of those that were
	 */
	signalEach(pids: readonly number[], signal: NodeJS.Signals): number[] {
		const there = new Set(this.processes());
		return pids.filter((pid) => {
			if (!there.has(pid)) return false;
			try {
				return process.kill(pid, signal);
			} catch {
				return false; // ended meanwhile
			}
		});
	}

	/** Kills every process running on the host, as a power cut would. */
	async killAll(): Promise<void> {
		await until(
			`${this.name}: no process left`,
			() => {
				const pids = this.processes();
				this.signalEach(pids, "SIGKILL");
				return pids;
			},
			{ holds: (pids) => pids.length === 0, every: 5 },
		);
	}
}
