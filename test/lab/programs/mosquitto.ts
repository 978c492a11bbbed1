import type { Host } from "../host.ts";
import { network } from "../network.ts";
import type { Process } from "../process.ts";
import { until } from "../wait.ts";

export interface MosquittoOptions {
	/** Default 1883, or 8883 with TLS. */
	readonly port?: number;
	/** Demands this user name and password; otherwise anybody may connect. */
	readonly username?: string;
	readonly password?: string;
	/** TLS with a certificate of the lab's own authority; its certificate is then `caCertificate`. */
	readonly tls?: boolean;
}

/** A message as a subscriber saw it. */
export interface Message {
	readonly topic: string;
	/** Whether the broker had kept it from before the subscription. */
	readonly retain: boolean;
	readonly qos: number;
	readonly payload: string;
	/** Milliseconds since 1970, when it was read. */
	readonly at: number;
}

/** A running subscriber to every topic. */
export interface Subscriber {
	readonly process: Process;
	/** Everything received, in order. */
	readonly messages: readonly Message[];
	/** The newest message on a topic. */
	last(topic: string): Message | undefined;
	stop(): Promise<void>;
}

/** A running broker. */
export interface Mosquitto {
	readonly process: Process;
	readonly port: number;
	/** PEM text for clients; only with TLS. */
	readonly caCertificate?: string | undefined;
	/** @param onMessage called with each message as it comes */
	subscribe(onMessage?: (message: Message) => void): Promise<Subscriber>;
	/** What a new subscriber would be given: the retained messages, by topic. */
	retained(): Promise<Map<string, string>>;
	publish(topic: string, payload: string, options?: { retain?: boolean; qos?: 0 | 1 | 2 }): Promise<void>;
	/** SIGTERM; retained messages are lost with it, as on a broker without persistence. */
	stop(): Promise<void>;
	crash(): Promise<void>;
}

const directory = "/etc/mosquitto/lab";

/** Makes the authority and the broker's certificate, once: a broker that starts again keeps its identity. */
async function makeCertificates(host: Host): Promise<string> {
	const made = host.read(`${directory}/ca.crt`);
	if (made !== undefined) return made;
	const caName = ["-subj", "/CN=bgpwarden lab", "-days", "2"];
	const authority = ["-keyout", `${directory}/ca.key`, "-out", `${directory}/ca.crt`];
	const key = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
	await host.run(["mkdir", "-p", directory]);
	await host.run(["openssl", ...key, ...caName, ...authority]);
	const server = [
		"-subj",
		"/CN=broker",
		"-days",
		"2",
		"-CA",
		`${directory}/ca.crt`,
		"-CAkey",
		`${directory}/ca.key`,
	];
	const names = ["-addext", `subjectAltName=IP:${network.broker.address},IP:127.0.0.1`];
	const usage = ["-addext", "basicConstraints=critical,CA:FALSE"];
	const files = ["-keyout", `${directory}/server.key`, "-out", `${directory}/server.crt`];
	await host.run(["openssl", ...key, ...server, ...names, ...usage, ...files]);
	return host.read(`${directory}/ca.crt`) ?? "";
}

/** Starts mosquitto on every address of the host and waits until it takes connections. */
export async function startMosquitto(host: Host, options: MosquittoOptions = {}): Promise<Mosquitto> {
	const { username, password = "", tls = false, port = tls ? 8883 : 1883 } = options;
	const config = ["user root", "persistence false", "log_type all", `listener ${port}`];
	// Subscribers of the lab itself, which needs no password.
	const client = ["-h", tls ? network.broker.address : "127.0.0.1", "-p", String(port)];
	let caCertificate: string | undefined;
	if (username === undefined) config.push("allow_anonymous true");
	else {
		host.write(`${directory}/passwords`, "", 0o600);
		await host.run(["mosquitto_passwd", "-b", `${directory}/passwords`, username, password]);
		config.push("allow_anonymous false", `password_file ${directory}/passwords`);
		client.push("-u", username, "-P", password);
	}
	if (tls) {
		caCertificate = await makeCertificates(host);
		config.push(`certfile ${directory}/server.crt`, `keyfile ${directory}/server.key`);
		client.push("--cafile", `${directory}/ca.crt`);
	}
	host.write(`${directory}/mosquitto.conf`, `${config.join("\n")}\n`);
	const process = host.start(["mosquitto", "-c", `${directory}/mosquitto.conf`], { name: "mosquitto" });
	await process.says(/ running$/);

	const publish: Mosquitto["publish"] = async (topic, payload, { retain = false, qos = 1 } = {}) => {
		const message = payload === "" ? ["-n"] : ["-m", payload];
		const flags = ["-q", String(qos), ...(retain ? ["-r"] : [])];
		await host.run(["mosquitto_pub", ...client, "-t", topic, ...message, ...flags]);
	};
	const subscribe: Mosquitto["subscribe"] = async (onMessage) => {
		const messages: Message[] = [];
		// -d only to learn when the subscription stands; its lines do not begin with a brace, and stay in stdio's buffer.
		const argv = ["stdbuf", "-oL", "mosquitto_sub", ...client, "-d", "-q", "1", "-t", "#", "-F", "%j"];
		const subscriber = host.start(argv, {
			name: "mosquitto_sub",
			onLine: (line) => {
				if (!line.startsWith("{")) return;
				const { topic, retain, qos, payload } = JSON.parse(line);
				const message = { topic, retain: retain === 1, qos, payload: payload ?? "", at: Date.now() };
				messages.push(message);
				onMessage?.(message);
			},
		});
		await subscriber.says(/^Subscribed /);
		return {
			process: subscriber,
			messages,
			last: (topic) => messages.findLast((message) => message.topic === topic),
			async stop() {
				await subscriber.end("SIGTERM");
			},
		};
	};
	return {
		process,
		port,
		caCertificate,
		subscribe,
		publish,
		async retained() {
			const subscriber = await subscribe();
			// The broker sends what it kept before anything published later.
			const marker = `lab/marker/${Date.now()}`;
			await publish(marker, "end");
			await until("the marker", () => subscriber.last(marker));
			await subscriber.stop();
			const kept = subscriber.messages.filter((message) => message.retain);
			return new Map(kept.map((message) => [message.topic, message.payload]));
		},
		async stop() {
			await process.end("SIGTERM");
		},
		async crash() {
			await process.end("SIGKILL");
		},
	};
}
