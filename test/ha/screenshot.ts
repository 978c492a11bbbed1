/** Makes docs/home-assistant-router.png and -peer.png: the pages of both devices, as Home Assistant shows them. */
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { configFile, repairing, uciConfig } from "../lab/daemon.ts";
import { startLab } from "../lab/lab.ts";
import { network } from "../lab/network.ts";
import { startMosquitto } from "../lab/programs.ts";
import { establish } from "../lab/session.ts";
import { pause } from "../lab/wait.ts";
import { Browser } from "./browser.ts";
import { CLIENT_ID } from "./client.ts";
import { HomeAssistant, layers } from "./home-assistant.ts";

const main = { router_id: "gateway" };
const docs = fileURLToPath(new URL("../../docs", import.meta.url));

function wantChromium(): void {
	if (spawnSync("chromium", ["--version"]).status === 0) return;
	process.stdout.write("screenshot: installing chromium\n");
	const options = { stdio: "ignore", env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" } } as const;
	spawnSync("apt-get", ["update"], options);
	const packages = ["chromium", "fonts-roboto-unhinted"];
	const installed = spawnSync("apt-get", ["install", "-y", "--no-install-recommends", ...packages], options);
	if (installed.status !== 0) throw new Error("screenshot: apt-get install chromium failed");
}

wantChromium();
const lab = await startLab({ brokerLayers: layers });
let home: HomeAssistant | undefined;
try {
	await startMosquitto(lab.broker);
	home = await HomeAssistant.start(lab.broker);
	const { daemon } = await establish(lab, { mqtt: { commands: true }, main: { ...main, ...repairing } });
	await home.untilState(`binary_sensor.bgpwarden_gateway_${network.peer}_session`, "on", { timeout: 30_000 });
	// Something to tell, while the table is not owned: a script of somebody's that empties the ruleset
	lab.router.write("/etc/init.d/firewall", "#!/bin/sh\nnft flush ruleset\nsleep 0.2\n", 0o755);
	await lab.router.run(["/bin/sh", "/etc/init.d/firewall", "stop"]);
	await home.untilState("sensor.bgpwarden_gateway_repairs", "1");
	lab.router.write(configFile, uciConfig({ mqtt: { commands: true }, main }));
	daemon.reload();
	await home.untilState("sensor.bgpwarden_gateway_protection_mode", "owned");
	await daemon.untilStatus("the peer", ({ peers }) => peers[0]?.state === "Established", { timeout: 30_000 });
	await pause(3000);

	const devices = await home.devices();
	const browser = await Browser.open(lab.broker, { width: 1240, height: 900 });
	const tokens = {
		hassUrl: CLIENT_ID.replace(/\/$/, ""),
		clientId: CLIENT_ID,
		access_token: home.accessToken,
		refresh_token: "none",
		token_type: "Bearer",
		expires_in: 1800,
		expires: Date.now() + 1_800_000,
	};
	const script = `localStorage.setItem("hassTokens", ${JSON.stringify(JSON.stringify(tokens))});
		localStorage.setItem("dockedSidebar", ${JSON.stringify(JSON.stringify("always_hidden"))});`;
	await browser.call("Page.addScriptToEvaluateOnNewDocument", { source: script });
	mkdirSync(docs, { recursive: true });
	for (const [file, identifier, text, height] of [
		["home-assistant-router", "bgpwarden_gateway", "Last repair because of", 1520],
		["home-assistant-peer", `bgpwarden_gateway_${network.peer}`, "Preferred routes", 1155],
	] as const) {
		await browser.call("Emulation.setDeviceMetricsOverride", {
			width: 1240,
			height,
			deviceScaleFactor: 1,
			mobile: false,
		});
		const id = devices.get(identifier)?.id;
		await browser.show(`${CLIENT_ID}config/devices/device/${id}`, text);
		// Icons and animations
		await pause(2500);
		writeFileSync(
			`${docs}/${file}.png`,
			await browser.screenshot({ x: 450, y: 130, width: 340, height: height - 140 }),
		);
		process.stdout.write(`docs/${file}.png\n`);
	}
	await browser.close();
} finally {
	await home?.stop();
	await lab.stop();
}
process.exit(0);
