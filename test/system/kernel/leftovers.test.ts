import { beforeEach, expect, test } from "vitest";
import { endLeftovers, markChildren } from "../../../src/system/kernel/leftovers.ts";
import { FakePlatform } from "../../fakes/platform.ts";

const DEAD = "300:111";
const ALIVE = "4000:9876";

let platform: FakePlatform;
beforeEach(() => {
	platform = new FakePlatform();
	process(4000, { start: 9876, name: "qjs" });
	platform.files.setLink("/proc/self/ns/net", "net:[1]");
	platform.files.setLink("/proc/self/ns/pid", "pid:[2]");
	platform.files.set("/proc/meminfo", "");
});

function process(
	pid: number,
	{ start = 1, name = "ubus", state = "S", environ = "", net = "net:[1]", ids = "pid:[2]" },
) {
	const zeros = Array(17).fill("0").join(" ");
	platform.files.set(`/proc/${pid}/stat`, `${pid} (${name}) ${state} 1 ${zeros} ${start} 0 0`);
	platform.files.set(`/proc/${pid}/environ`, environ);
	platform.files.setLink(`/proc/${pid}/ns/net`, net);
	platform.files.setLink(`/proc/${pid}/ns/pid`, ids);
}

const marked = (mark: string) => `PATH=/bin\0BGPWARDEN_PARENT=${mark}\0TERM=dumb\0`;
const ended = () => {
	const said: string[] = [];
	platform.killed.length = 0;
	endLeftovers(platform, (text) => said.push(text));
	const { killed } = platform;
	expect(killed.every(({ signal }) => signal === "SIGKILL")).toBe(true);
	const some = `ended ${killed.length} processes that an earlier daemon left behind`;
	expect(said).toEqual(killed.length > 0 ? [some] : []);
	return killed.map(({ pid }) => pid);
};

test("what a dead daemon has left is ended", () => {
	process(500, { environ: marked(DEAD) });
	process(501, { environ: `BGPWARDEN_PARENT=${DEAD}\0`, name: "nft) S (x" });
	expect(ended()).toEqual([500, 501]);
});

test.each<[string, Parameters<typeof process>[1]]>([
	["somebody else's `ubus subscribe service`", { environ: "PATH=/bin\0" }],
	["a child of a daemon that still runs", { environ: marked(ALIVE) }],
	["another router's on the same machine", { environ: marked(DEAD), net: "net:[7]" }],
	["a container's, whose ids mean nothing here", { environ: marked(DEAD), ids: "pid:[7]" }],
	["one with a mark that is none", { environ: "BGPWARDEN_PARENT=x:1\0BGPWARDEN_PARENT=\0" }],
	["one with a variable that only looks like it", { environ: `X=BGPWARDEN_PARENT=${DEAD}\0` }],
])("%s is left alone", (_, what) => {
	process(500, what);
	expect(ended()).toEqual([]);
});

test("an id that is another process's by now is not the daemon", () => {
	process(300, { start: 222, name: "dnsmasq" });
	process(500, { environ: marked(DEAD) });
	expect(ended()).toEqual([500]);
});

test("a daemon that has ended and was not reaped runs no more", () => {
	process(300, { start: 111, name: "qjs", state: "Z" });
	process(500, { environ: marked(DEAD) });
	expect(ended()).toEqual([500]);
});

test("what cannot be read, or ends meanwhile, is left alone", () => {
	process(500, { environ: marked(DEAD) });
	platform.files.fail("/proc/500/environ", "No such process");
	expect(ended()).toEqual([]);
	platform.files.fail("/proc", "No such file or directory");
	expect(ended()).toEqual([]);
});

test("the daemon's own children carry its mark", () => {
	process(platform.pid, { start: 77, name: "qjs (x) S 1" });
	markChildren(platform);
	expect(platform.environment("BGPWARDEN_PARENT")).toBe("4242:77");
	process(500, { environ: marked("4242:77") });
	expect(ended()).toEqual([]);
	process(platform.pid, { start: 78 });
	expect(ended()).toEqual([500]);
});
