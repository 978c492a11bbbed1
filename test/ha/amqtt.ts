import type { Host } from "../lab/host.ts";
import { rootfsName } from "../lab/paths.ts";
import type { Process } from "../lab/process.ts";
import { type BrokerClients, brokerClients } from "../lab/programs.ts";
import { until } from "../lab/wait.ts";

/** Layers of a host that can run it. */
export const layers = ["amqtt", rootfsName] as const;

const configuration = `listeners:
  default:
    type: tcp
    bind: 0.0.0.0:1883
plugins:
  amqtt.plugins.authentication.AnonymousAuthPlugin:
    allow_anonymous: true
`;

/** amqtt, which shares no code with mosquitto: MQTT 3.1.1 in Python. */
export interface Amqtt extends BrokerClients {
	readonly process: Process;
	/** SIGKILL; what it kept is lost with it. */
	crash(): Promise<void>;
}

/** Starts amqtt on a host whose layers have it, and waits until it takes connections. */
export async function startAmqtt(host: Host): Promise<Amqtt> {
	host.write("/etc/amqtt.yaml", configuration);
	const process = host.start(["/opt/amqtt/bin/amqtt", "-c", "/etc/amqtt.yaml"], { name: "amqtt" });
	const clients = brokerClients(host, ["-h", "127.0.0.1", "-p", "1883"]);
	await until(
		"amqtt to take connections",
		async () => {
			process.mustRun();
			await clients.publish("lab/ready", "?");
			return true;
		},
		{ timeout: 20_000 },
	);
	return {
		...clients,
		process,
		async crash() {
			await process.end("SIGKILL");
		},
	};
}
