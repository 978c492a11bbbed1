import { mkdirSync, writeFileSync } from "node:fs";
import type { Host } from "../host.ts";
import { startLab } from "../lab.ts";
import { birdMultihop, startBird, startFrr } from "../programs.ts";
import { until } from "../wait.ts";
import { birdVersions } from "../world.ts";

/**
 * Takes the fixtures of `doctor --service` anew: BIRD's routes to an address, what its filter left out, what its kernel protocol
 * takes, and the kernel's routes, rules and links as iproute2 and busybox list them.
 */
const fixtures = new URL("../../fixtures/", import.meta.url).pathname;
const announced = ["192.168.20.1/32", "192.168.20.2/32"];
const config = birdMultihop("protocol static { ipv4; route 192.168.20.0/24 blackhole; }\n").replace(
	"import all;",
	"import keep filtered; import where net != 192.168.20.2/32;",
);

/** BIRD's answer to one command, without its echo and the prompts. */
async function birdcl(host: Host, command: string): Promise<string> {
	const argv = ["birdcl", "-v", "-r", "-s", "/var/run/bird.ctl"];
	const { stdout } = await host.run(argv, { stdin: `${command}\n` });
	const [, answer = ""] = stdout.split(`bird> ${command}\n`);
	return answer.replace(/bird> \n?$/, "");
}

function save(folder: string, name: string, text: string): void {
	mkdirSync(`${fixtures}${folder}`, { recursive: true });
	writeFileSync(`${fixtures}${folder}/${name}.txt`, text);
}

async function captureIp(router: Host): Promise<void> {
	const ip = (...words: string[]) => router.run(["ip", ...words]);
	await ip("route", "add", "default", "via", "192.168.1.254");
	const hops = ["nexthop", "via", "192.168.1.2", "nexthop", "via", "192.168.1.3"];
	await ip("route", "add", "192.168.20.1/32", "metric", "40", ...hops);
	await ip("route", "add", "blackhole", "192.168.20.0/25");
	await ip("route", "add", "192.168.20.1/32", "via", "192.168.10.10", "table", "52");
	await ip("rule", "add", "fwmark", "0x100/0xff00", "lookup", "52", "pref", "1000");
	await ip("rule", "add", "from", "192.168.10.0/24", "iif", "br-iot", "lookup", "52", "pref", "1001");
	await ip("rule", "add", "from", "192.168.99.0/24", "prohibit", "pref", "1002");
	const hops6 = ["nexthop", "via", "fd00:1::2", "nexthop", "via", "fd00:1::3"];
	await ip("-6", "route", "add", "fd00:20::1/128", "metric", "40", ...hops6);
	const version = async (argv: readonly string[], pattern: RegExp) =>
		pattern.exec((await router.run(argv)).stdout)?.[1] ?? "unknown";
	const tools = [
		[["ip"], `iproute2-${await version(["ip", "-V"], /iproute2-([\d.]+)/)}`],
		[["busybox", "ip"], `busybox-${await version(["busybox"], /BusyBox v([\d.]+)/)}`],
	] as const;
	for (const [argv, name] of tools) {
		const listing = async (...words: string[]) => (await router.run([...argv, ...words])).stdout;
		const match = ["route", "show", "table", "all", "match"];
		save("ip", `${name}-routes4`, await listing("-4", ...match, "192.168.20.1"));
		save("ip", `${name}-routes6`, await listing("-6", ...match, "fd00:20::1"));
		save("ip", `${name}-rules`, await listing("-4", "rule"));
		save("ip", `${name}-links`, await listing("-o", "link", "show"));
	}
}

for (const major of birdVersions) {
	const lab = await startLab();
	try {
		const bird = await startBird(lab.router, config, major);
		await startFrr(lab.speaker, { services: announced });
		await until("the services' routes", () => birdcl(lab.router, "show route filtered"), {
			holds: (text) => text.includes("192.168.20.2/32"),
			timeout: 30_000,
		});
		const version = /BIRD ([\d.]+)/.exec(await bird.control("show status"))?.[1] ?? "unknown";
		const of = (address: string) => `where ${address} ~ net all`;
		const questions = {
			routes: `show route table all ${of("192.168.20.1")}`,
			filtered: `show route filtered table all ${of("192.168.20.2")}`,
			export: `show route export 'kernel1' ${of("192.168.20.1")}`,
		};
		for (const [name, command] of Object.entries(questions))
			save("bird", `bird-${version}-service-${name}`, await birdcl(lab.router, command));
		if (major === birdVersions[0]) await captureIp(lab.router);
		await bird.configure(config.replace(/protocol direct \{[^}]*\}\n/, ""));
		await until("an unreachable route", () => bird.control("show route"), {
			holds: (text) => text.includes("unreachable [waukeen"),
		});
		save("bird", `bird-${version}-service-unreachable`, await birdcl(lab.router, questions.routes));
		process.stdout.write(`captured BIRD ${version}\n`);
	} finally {
		await lab.stop();
	}
}
