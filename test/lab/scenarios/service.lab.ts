import { afterAll, beforeAll, describe, expect, test } from "vitest";
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

const hosts = () => ({ iot: world.lab.broker, lan: world.client, node: world.lab.speaker });

test("a service that every client reaches: nothing is wrong, and its way is told", async () => {
	const { code, report, page } = await diagnose(world.warden, ["--port", String(port)]);
	expect(named(report)).toEqual([]);
	expect({ code, level: report.level }).toEqual({ code: 0, level: "green" });
	console.log(page);
});

describe.each(SERVICE_CAUSES)(
	"$name",
	({ id, level = "red", client = "iot", also = [], works, options, play, undo }) => {
		test(`is ${id}`, async () => {
			await play(world);
			try {
				const host = hosts()[client];
				await until("the client's attempt", () => reach(host), {
					holds: (words) => isOpen(words) === (works === true),
				});
				const asked = options ?? ["--port", String(port), "--from", clients[client]];
				const { report, page, code } = await until(
					"the doctor's report",
					() => diagnose(world.warden, asked),
					{
						holds: ({ report: { causes, review } }) => [...causes, ...review].some((each) => each.id === id),
					},
				);
				console.log(page);
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
