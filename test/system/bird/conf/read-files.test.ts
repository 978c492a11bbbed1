import { beforeEach, expect, test } from "vitest";
import { expandPattern } from "../../../../src/system/bird/conf/glob.ts";
import { readBirdConfiguration } from "../../../../src/system/bird/conf/read-files.ts";
import { FakeFiles } from "../../../fakes/files.ts";

let files: FakeFiles;
beforeEach(() => {
	files = new FakeFiles(() => 0);
	files.setLink("/proc/self/ns/net", "net:[1]");
});

/** A running BIRD. */
function run(pid: number, argv: readonly string[], namespace = "net:[1]") {
	files.set(`/proc/${pid}/comm`, "bird\n");
	files.set(`/proc/${pid}/cmdline`, `${argv.join("\0")}\0`);
	files.setLink(`/proc/${pid}/ns/net`, namespace);
}

function config(path: string) {
	files.set(path, `router id 1.1.1.1; # ${path}\n`);
}

test("the usual places, in their order", () => {
	expect(readBirdConfiguration(files)).toEqual({
		error: "no configuration of BIRD at /etc/bird.conf, /etc/bird/bird.conf, /usr/local/etc/bird.conf",
	});
	config("/etc/bird/bird.conf");
	expect(readBirdConfiguration(files)).toMatchObject({
		path: "/etc/bird/bird.conf",
		configuration: { routerId: "1.1.1.1" },
	});
	config("/etc/bird.conf");
	expect(readBirdConfiguration(files)).toMatchObject({ path: "/etc/bird.conf" });
});

test("the running BIRD's own file before the usual ones", () => {
	config("/etc/bird.conf");
	config("/tmp/one.conf");
	config("/srv/two.conf");
	run(90, ["bird", "-f"]);
	run(80, ["/usr/sbin/bird", "-c", "/tmp/foreign.conf"], "net:[2]");
	run(70, ["/usr/sbin/bird", "-s", "/run/one.ctl", "-c", "/tmp/one.conf"]);
	run(75, ["bird", "-s/run/two.ctl", "-ctwo.conf"]);
	files.setLink("/proc/75/cwd", "/srv");
	expect(readBirdConfiguration(files)).toMatchObject({ path: "/tmp/one.conf" });
	expect(readBirdConfiguration(files, "/run/two.ctl")).toMatchObject({ path: "/srv/two.conf" });
	expect(readBirdConfiguration(files, "/run/three.ctl")).toMatchObject({ path: "/etc/bird.conf" });
});

test("what cannot be read is said", () => {
	files.set("/etc/bird.conf", 'include "gone.conf";\ninclude "parts/*.conf";\nprotocol device { }\n');
	files.set("/etc/parts/a.conf", "router id 2.2.2.2;\n");
	files.set("/etc/parts/b.conf", "protocol bgp b { }\n");
	files.fail("/etc/parts/b.conf", "Permission denied");
	expect(readBirdConfiguration(files)).toMatchObject({
		configuration: { routerId: "2.2.2.2", device: true, bgp: [] },
		problems: ["/etc/gone.conf: No such file or directory", "/etc/parts/b.conf: Permission denied"],
	});
	files.fail("/etc/bird.conf", "Permission denied");
	expect(readBirdConfiguration(files)).toHaveProperty("error");
});

test.each([
	["/etc/bird.conf", ["/etc/bird.conf"]],
	["/d/*.conf", ["/d/a.conf", "/d/b1.conf", "/d/b2.conf"]],
	["/d/.*.conf", ["/d/.h.conf"]],
	["/d/b?.conf", ["/d/b1.conf", "/d/b2.conf"]],
	["/d/b[!2].*", ["/d/b1.conf"]],
	["/d/[a-b]*[0-9].conf", ["/d/b1.conf", "/d/b2.conf"]],
	["/d/*/x+y*", ["/d/sub/x+y"]],
	["/d/[b-a]*", []],
	["/none/*", []],
	["/d/a.conf/*", []],
])("expands %s", (pattern, expected) => {
	for (const name of ["b2.conf", "a.conf", "b1.conf", ".h.conf", "sub/x+y", "sub/xxy"])
		files.set(`/d/${name}`, "");
	expect(expandPattern(files, pattern)).toEqual(expected);
});
