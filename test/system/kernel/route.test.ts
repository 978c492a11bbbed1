import { expect, test } from "vitest";
import { askRoute, type RouteTarget } from "../../../src/system/kernel/route.ts";
import { FakePlatform } from "../../fakes/platform.ts";

/** What `ip` is asked. */
async function asked(target: RouteTarget): Promise<readonly string[] | undefined> {
	const platform = new FakePlatform();
	const answer = askRoute(platform, target);
	platform.advance(3000);
	expect(await answer).toEqual({});
	return platform.children[0]?.argv.slice(4);
}

test.each<[string, RouteTarget, readonly string[]]>([
	["a peer", { address: "192.168.1.2", routeMark: 0 }, ["192.168.1.2"]],
	["a peer behind a mark", { address: "192.168.1.2", routeMark: 0x80000 }, ["192.168.1.2", "mark", "524288"]],
	["a peer whose mark is left alone", { address: "192.168.1.2", routeMark: "keep" }, ["192.168.1.2"]],
	["a link-local peer", { address: "fe80::2", zone: "br-lan", routeMark: 0 }, ["fe80::2", "oif", "br-lan"]],
])("the route to %s", async (_, target, words) => {
	expect(await asked(target)).toEqual(words);
});

test("the answer is the route, or the kernel's words", async () => {
	const platform = new FakePlatform();
	platform.program("ip", (child) => {
		if (child.argv.includes("-6")) {
			child.err("RTNETLINK answers: Network is unreachable\n");
			child.end(2);
		} else {
			child.out("10.0.0.9 via 192.168.1.2 dev br-lan  src 192.168.1.1 \n");
			child.end(0);
		}
	});
	const ipv4 = askRoute(platform, { address: "10.0.0.9", routeMark: 0 });
	const ipv6 = askRoute(platform, { address: "fd00::9", routeMark: 0 });
	await platform.settle();
	expect(await ipv4).toEqual({
		route: { interface: "br-lan", gateway: "192.168.1.2", source: "192.168.1.1" },
	});
	expect(await ipv6).toEqual({ noRoute: "Network is unreachable" });
});
