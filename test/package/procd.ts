/**
 * Doubles of procd.sh and jshn.sh that write down what an init script tells procd, and what procd.sh would make of it:
 * the message of `ubus call service set` (package/system/procd/files/procd.sh of OpenWrt).
 */

export type Json = string | number | boolean | Json[] | { [name: string]: Json };

/** Each function prints itself, its arguments separated by tabs. */
export const PROCD_FUNCTIONS = `
record() {
	local each line=
	for each in "$@"; do line="$line	$each"; done
	echo "procd$line" >&3
}
extra_command() { record extra "$1"; }
rc_procd() {
	record open
	"$@"
	record triggers
	service_triggers
	record data
	service_data
	record set
}
start() { rc_procd start_service "$@"; }
stop() {
	stop_service "$@"
	record delete
	service_stopped
}
restart() {
	stop
	start
}
procd_open_instance() { record instance "\${1:-instance1}"; }
procd_close_instance() { record close; }
procd_set_param() { record param "$@"; }
procd_add_reload_trigger() { record reload "$@"; }
enabled() { [ -z "$NOT_AT_BOOT" ]; }
procd_running() { [ "$RUNNING" = 1 ]; }
procd_send_signal() { record signal "$@"; }
json_add_array() { record array "$1"; }
json_add_object() { record object "$1"; }
json_add_string() { record string "$1" "$2"; }
json_close_array() { record close; }
json_close_object() { record close; }
`;

const NUMBERS = ["term_timeout", "nice"];
const FLAGS = ["stderr", "stdout", "no_new_privs"];
const TABLES = ["limits", "env"];
const ARRAYS = ["command", "file", "respawn", "netdev"];

/** @returns what was sent to procd: messages of `service set`, `["signal", …]` and `["delete"]` */
export function procdMessages(record: string): Json[] {
	const sent: Json[] = [];
	let stack: Json[] = [];
	let message: { [name: string]: Json } = {};
	const add = (name: string, value: Json) => {
		const top = stack.at(-1);
		if (Array.isArray(top)) top.push(value);
		else if (typeof top === "object") top[name] = value;
		else throw new Error(`${name}: nothing is open`);
	};
	const open = (name: string, value: Json) => {
		add(name, value);
		stack.push(value);
	};
	const section = (name: string, value: Json) => {
		if (stack.length > 2) throw new Error(`${name}: ${stack.length - 2} not closed`);
		stack = [message];
		open(name, value);
	};
	for (const line of record.split("\n")) {
		const [mark, verb, name = "", ...values] = line.split("\t");
		if (mark !== "procd") continue;
		const [value = ""] = values;
		if (verb === "open") {
			message = { name: "bgpwarden", script: "/etc/init.d/bgpwarden" };
			section("instances", {});
		} else if (verb === "triggers") section("triggers", []);
		else if (verb === "data") section("data", {});
		else if (verb === "set") {
			sent.push(message);
			stack = [];
		} else if (verb === "instance" || verb === "object") open(name, {});
		else if (verb === "array") open(name, []);
		else if (verb === "close") stack.pop();
		else if (verb === "string") add(name, value);
		else if (verb === "param") {
			if (ARRAYS.includes(name)) add(name, values);
			else if (NUMBERS.includes(name)) add(name, Number(value));
			else if (FLAGS.includes(name)) add(name, value === "1");
			else if (TABLES.includes(name))
				add(name, Object.fromEntries(values.map((each) => each.split(/=(.*)/s).slice(0, 2))));
			else add(name, value);
		} else if (verb === "reload") {
			const run = ["run_script", "/etc/init.d/bgpwarden", "reload"];
			add("", ["config.change", ["if", ["eq", "package", name], run], 1000]);
		} else if (verb === "signal") sent.push(["signal", name, ...values]);
		else if (verb === "delete") sent.push(["delete"]);
	}
	return sent;
}
