import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { network } from "../network.ts";
import {
	clients,
	diagnose,
	isOpen,
	named,
	port,
	reach,
	type ServiceLab,
	service,
	startServiceLab,
	untilHealthy,
} from "../service.ts";
import { SERVICE_CAUSES } from "../service-causes.ts";
import { until } from "../wait.ts";

let world: ServiceLab;
beforeAll(async () => {
	world = await startServiceLab();
});
afterAll(() => world?.stop());

const hosts = () => ({ iot: world.lab.broker, lan: world.client });
const PORT = ["--port", String(port)];

describe("a service that every client reaches", () => {
	test("nothing is wrong, and its way is told", async () => {
		const { code, report, page } = await diagnose(world.warden, PORT);
		expect(named(report)).toEqual([]);
		expect({ code, level: report.level }).toEqual({ code: 0, level: "green" });
		expect(report.service).toMatchObject({ address: service, port, portAssumed: false });
		const lines = [
			`announced   by ${network.peer}: ${network.service} via 192.168.1.2 on br-lan`,
			`kernel      ${network.service} via 192.168.1.2 on br-lan`,
			"next hop    via 192.168.1.2 on br-lan: ",
			"192.168.10.0/24 (br-iot) > br-lan: passes",
			"br-lan > 192.168.10.0/24 (br-iot): passes",
			"past this router",
			`connection  the router itself can connect to port ${port}`,
		];
		for (const line of lines) expect(page).toContain(line);
	});

	test("without a port no connection is tried, and rules are asked about 443", async () => {
		const { code, report } = await diagnose(world.warden);
		expect({ code, wrong: named(report) }).toEqual({ code: 0, wrong: [] });
		expect(report.service).toMatchObject({ port: 443, portAssumed: true });
		expect(report.service?.path.map(({ at }) => at)).not.toContain("connection");
	});
});

describe("a question that is about something else", () => {
	test("an address of the router's own", async () => {
		const { code, report } = await diagnose(world.warden, PORT, network.router.lan);
		expect({ code, wrong: named(report) }).toEqual({ code: 1, wrong: ["red service-own-address"] });
	});

	test("an address that nobody announces", async () => {
		const { code, report } = await diagnose(world.warden, PORT, "192.168.20.99");
		expect({ code, wrong: named(report) }).toEqual({ code: 1, wrong: ["red service-unannounced"] });
	});

	test.each(["192.168.20.0/24", "kubernetes", "192.168.20.1%lo"])("%s is no address", async (text) => {
		const { code, stdout, stderr } = await world.warden.cli(["doctor", "--service", text]);
		expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
		expect(stderr).toContain(`--service: '${text}' is not the IPv4 or IPv6 address of one host`);
	});
});

describe.each(SERVICE_CAUSES)(
	"$name",
	({ id, level = "red", client = "iot", also = [], works, play, undo }) => {
		test(`is ${id}`, async () => {
			await play(world);
			try {
				const attempt = () => reach(hosts()[client]);
				await until("the client's attempt", attempt, {
					holds: (words) => isOpen(words) === (works === true),
					timeout: 30_000,
				});
				const asked = [...PORT, "--from", clients[client]];
				const { report, page, code } = await until("the cause", () => diagnose(world.warden, asked), {
					holds: (seen) => named(seen.report).includes(`${level} ${id}`),
				});
				expect(named(report)).toEqual([`${level} ${id}`, ...also]);
				expect(code).toBe(level === "red" ? 1 : 0);
				expect(page).toContain(`${service}: ${id}`);
			} finally {
				await undo(world);
			}
			await untilHealthy(world);
		});
	},
);
