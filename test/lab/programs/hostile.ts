import type { Host } from "../host.ts";
import { canDestroy } from "../world.ts";
import { articleTable, fw4Table } from "./firewall.ts";

const table = "inet custom_bgp";

/** What others do to the table, each a text for `nft -f`. */
export const hostileChanges: Readonly<Record<string, string>> = {
	"flush ruleset": "flush ruleset\n",
	"delete table": `delete table ${table}\n`,
	"destroy table": `destroy table ${table}\n`,
	"flush table": `flush table ${table}\n`,
	"delete a chain": `flush chain ${table} raw_out\ndelete chain ${table} raw_out\n`,
	"flush a chain": `flush chain ${table} raw_pre\n`,
	"rename a chain": `rename chain ${table} filter_input other\n`,
	"add a rule": `add rule ${table} filter_input tcp dport 179 drop\n`,
	"insert a rule": `insert rule ${table} raw_pre accept\n`,
	"replace a rule": `replace rule ${table} raw_pre handle $HANDLE drop\n`,
	"delete a rule": `delete rule ${table} raw_pre handle $HANDLE\n`,
	"set a policy": `chain ${table} filter_input { policy drop; }\n`,
	"make it dormant": `add table ${table} { flags dormant; }\n`,
	"add a set": `add set ${table} seen { type ipv4_addr; }\n`,
	"add a chain": `add chain ${table} other { type filter hook input priority -400; policy drop; }\n`,
	"put the article in its place": `delete table ${table}\n${articleTable}`,
	"put a short one in its place": `table ${table}\ndelete table ${table}\ntable ${table} { chain raw_pre { }; }\n`,
	"restart fw4 and delete it": `table inet fw4\ndelete table inet fw4\n${fw4Table}delete table ${table}\n`,
};

/**
 * Many processes of nft, several at once, each with one change in turn. A handle is that of a rule of the table when the
 * program started. Prints one line of JSON: how often each change was accepted.
 */
const attacker = `
import os, subprocess, sys, threading
count, workers, changes = int(sys.argv[1]), int(sys.argv[2]), dict(zip(sys.argv[3::2], sys.argv[4::2]))
listed = subprocess.run(["nft", "-a", "list", "chain", "inet", "custom_bgp", "raw_pre"], capture_output=True, text=True)
handles = [line.split("# handle ")[1] for line in listed.stdout.split("\\n") if "notrack" in line]
files = []
for number, (name, text) in enumerate(changes.items()):
	path = f"/tmp/hostile-{number}.nft"
	open(path, "w").write(text.replace("$HANDLE", handles[0] if handles else "1"))
	files.append((name, path))
accepted, refused = {}, {}
lock = threading.Lock()
quiet = [(os.POSIX_SPAWN_OPEN, 2, "/dev/null", os.O_WRONLY, 0)]
def work(first):
	for turn in range(first, count, workers):
		name, path = files[turn % len(files)]
		pid = os.posix_spawn("/usr/sbin/nft", ["nft", "-f", path], os.environ, file_actions=quiet)
		outcome = refused if os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) else accepted
		with lock: outcome[name] = outcome.get(name, 0) + 1
threads = [threading.Thread(target=work, args=(first,)) for first in range(workers)]
for thread in threads: thread.start()
for thread in threads: thread.join()
# The names hold nothing that Python and JSON write differently; Debian 12's smallest Python has no json.
print(str({"accepted": accepted, "refused": refused}).replace("'", '"'))
`;

export interface Attack {
	/** How often nft said that it had done a change, by its name. */
	readonly accepted: Readonly<Record<string, number>>;
	readonly refused: Readonly<Record<string, number>>;
}

/** Makes this many hostile changes as fast as the machine can, `workers` at once. */
export async function attack(router: Host, count: number, workers = 4): Promise<Attack> {
	const changes = Object.fromEntries(
		Object.entries(hostileChanges).filter(([name]) => canDestroy || name !== "destroy table"),
	);
	const argv = ["python3", "-c", attacker, String(count), String(workers), ...Object.entries(changes).flat()];
	const { stdout } = await router.run(argv, { timeout: 300_000 });
	return JSON.parse(stdout);
}

export function total(counts: Readonly<Record<string, number>>): number {
	return Object.values(counts).reduce((sum, count) => sum + count, 0);
}
