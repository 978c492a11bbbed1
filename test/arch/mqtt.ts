import { createPlatform } from "../../src/platform/index.ts";
import { createMqttLink } from "../../src/report/mqtt/link.ts";

/** Longer than one length byte of MQTT and than a pipe's page; its code points take one to four bytes. */
const PAYLOAD = "grün – 😀 ".repeat(600);

/** Publishes to the broker at PORT, prints `echoed` when the same comes back, and `closed` after a clean goodbye. */
async function main(): Promise<void> {
	const platform = await createPlatform();
	const fail = (reason: string) => {
		platform.print("stderr", `${reason}\n`);
		platform.exit(1);
	};
	platform.after(30_000, () => fail("nothing came back in 30 s"));
	const config = {
		...{ enabled: true, host: "127.0.0.1", port: Number(platform.environment("PORT")), tls: false },
		...{ username: "", password: "", caFile: "", certFile: "", keyFile: "", tlsInsecure: false },
		...{ baseTopic: "bgpwarden", discovery: false, discoveryPrefix: "homeassistant", commands: false },
	};
	const identity = { clientId: "arch", willTopic: "arch/availability" };
	const link = createMqttLink(platform, config, identity, {
		onConnect: () => {
			link.subscribe(["arch/echo"]);
			link.publish("arch/echo", PAYLOAD, { retain: false });
		},
		onDisconnect: fail,
		onMessage: (_topic, payload) => {
			if (payload !== PAYLOAD) fail(`another text came back, of ${payload.length} characters`);
			platform.print("stdout", "echoed\n");
			void link.stop().then(() => {
				platform.print("stdout", "closed\n");
				platform.exit(0);
			});
		},
	});
	link.start();
}

main();
