import { expect, test } from "vitest";
import { RouterId } from "../../src/report/router-id.ts";
import { FakeFiles } from "../fakes/files.ts";

const KEPT = "/etc/bgpwarden/router_id";
const HOSTNAME = "/proc/sys/kernel/hostname";

function given(hostname: string): { files: FakeFiles; id: RouterId } {
	const files = new FakeFiles(() => 0);
	files.set(HOSTNAME, `${hostname}\n`);
	return { files, id: new RouterId(files) };
}

test("the host name, until the first connection; from then on what it was there", () => {
	const { files, id } = given("gw");
	expect(id.get("")).toBe("gw");
	files.set(HOSTNAME, "gateway\n");
	expect(id.get("")).toBe("gateway");
	expect(id.remember("")).toMatch(/stays 'gateway'/);
	files.set(HOSTNAME, "another\n");
	expect(id.get("")).toBe("gateway");
	expect(new RouterId(files).get("")).toBe("gateway");
	expect(id.remember("")).toBeUndefined();
	expect(files.read(KEPT)).toBe("gateway\n");
});

test("the option goes first, and leaves what is kept alone", () => {
	const { files, id } = given("gw");
	expect(id.get("chosen")).toBe("chosen");
	expect(id.remember("chosen")).toBeUndefined();
	expect(files.status(KEPT)).toBeUndefined();
});

test.each(["OpenWrt", "", "localhost"])("a router that is called '%s' has no name to keep", (hostname) => {
	const { files, id } = given(hostname);
	expect(id.get("")).toBe(hostname || "router");
	expect(id.remember("")).toBeUndefined();
	expect(files.status(KEPT)).toBeUndefined();
});

test("a file that cannot be written or makes no sense is no obstacle", () => {
	const { files, id } = given("gw");
	files.fail(KEPT, "Read-only file system");
	expect(id.remember("")).toMatch(/follows its host name: .*Read-only file system/);
	expect(id.get("")).toBe("gw");
	files.fail(KEPT, undefined);
	files.set(KEPT, "#/+\n");
	expect(id.get("")).toBe("gw");
});
