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
	/** Passwords of further users; the first one is the lab's own then. */
	readonly others?: Readonly<Record<string, string>>;
	/** TLS with a certificate of the lab's own authority; its certificate is then `caCertificate`. */
	readonly tls?: boolean;
	/** Makes the broker's certificate another one than it should be. */
	readonly certificate?: "expired" | "other name" | "self-signed";
	/** With TLS: demands a certificate of the lab's authority from every client. */
	readonly clientCertificates?: boolean;
	/** What mosquitto logs; default everything. */
	readonly log?: readonly string[];
	/** Further lines of mosquitto.conf. */
	readonly more?: readonly string[];
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

/** What the lab itself does with a broker, by mosquitto's clients. */
export interface BrokerClients {
	/** @param onMessage called with each message as it comes */
	subscribe(onMessage?: (message: Message) => void): Promise<Subscriber>;
	/** What a new subscriber would be given: the retained messages, by topic. */
	retained(): Promise<Map<string, string>>;
	publish(topic: string, payload: string, options?: { retain?: boolean; qos?: 0 | 1 | 2 }): Promise<void>;
}

/** A running broker. */
export interface Mosquitto extends BrokerClients {
	readonly process: Process;
	readonly port: number;
	/** PEM text for clients; only with TLS. */
	readonly caCertificate?: string | undefined;
	/** SIGTERM; retained messages are lost with it, as on a broker without persistence. */
	stop(): Promise<void>;
	crash(): Promise<void>;
}

const directory = "/etc/mosquitto/lab";

const newKey = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];

/** Makes the lab's own authority, once: a broker that starts again keeps its identity. @returns its certificate */
async function makeCertificates(host: Host): Promise<string> {
	const made = host.read(`${directory}/ca.crt`);
	if (made !== undefined) return made;
	const files = ["-keyout", `${directory}/ca.key`, "-out", `${directory}/ca.crt`];
	await host.run(["mkdir", "-p", directory]);
	await host.run(["openssl", ...newKey, "-subj", "/CN=bgpwarden lab", "-days", "2", ...files]);
	return host.read(`${directory}/ca.crt`) ?? "";
}

export type CertificateKind = "server" | "client" | NonNullable<MosquittoOptions["certificate"]>;

/** Paths on the host that is the authority, whose broker must have been started with TLS before. */
export async function certificate(
	host: Host,
	kind: CertificateKind,
): Promise<{ readonly certificate: string; readonly key: string }> {
	const path = `${directory}/${kind.replace(" ", "-")}`;
	const files = { certificate: `${path}.crt`, key: `${path}.key` };
	if (host.read(files.certificate) !== undefined) return files;
	const signed =
		kind === "self-signed" ? [] : ["-CA", `${directory}/ca.crt`, "-CAkey", `${directory}/ca.key`];
	const names =
		kind === "other name"
			? "DNS:elsewhere.example"
			: `IP:${network.broker.address},IP:127.0.0.1,IP:${network.broker.address6},DNS:broker.lan`;
	const extensions = [`subjectAltName=${names}`, "basicConstraints=critical,CA:FALSE"];
	await host.run([
		...["openssl", ...newKey, "-subj", `/CN=${kind}`, "-days", "2", ...signed],
		...extensions.flatMap((extension) => ["-addext", extension]),
		...["-keyout", files.key, "-out", files.certificate],
	]);
	if (kind === "expired") await backdate(host, files);
	return files;
}

const authorityConfig = `[ca]
default_ca = lab
[lab]
database = ${directory}/issued
rand_serial = yes
new_certs_dir = ${directory}
default_md = sha256
policy = any
copy_extensions = copy
[any]
commonName = supplied
`;

/** Has the authority sign a certificate for a day in 2020: `openssl req` can do that only since OpenSSL 3.4. */
async function backdate(host: Host, files: { certificate: string; key: string }): Promise<void> {
	const request = `${directory}/request.pem`;
	host.write(`${directory}/authority.conf`, authorityConfig);
	host.write(`${directory}/issued`, "");
	const convert = ["-x509toreq", "-copy_extensions", "copy", "-in", files.certificate, "-signkey", files.key];
	await host.run(["openssl", "x509", ...convert, "-out", request]);
	const authority = ["-config", `${directory}/authority.conf`, "-cert", `${directory}/ca.crt`];
	const days = ["-startdate", "20200101000000Z", "-enddate", "20200102000000Z"];
	await host.run([
		...["openssl", "ca", "-batch", "-notext", ...authority, "-keyfile", `${directory}/ca.key`, ...days],
		...["-in", request, "-out", files.certificate],
	]);
}

/** Starts mosquitto on every address of the host and waits until it takes connections. */
export async function startMosquitto(host: Host, options: MosquittoOptions = {}): Promise<Mosquitto> {
	const {
		username,
		password = "",
		tls = false,
		port = tls ? 8883 : 1883,
		more = [],
		log = ["all"],
	} = options;
	// Of 1,000 peers the broker holds 3,000 messages: by itself mosquitto drops what is beyond 1,000 for one subscriber. Without a
	// limit (0) it takes the first answer to a message that it drops for one too many, and hangs up.
	const queue = "max_queued_messages 100000";
	const config = ["user root", "persistence false", `listener ${port}`, queue, ...more];
	config.push(...log.map((type) => `log_type ${type}`));
	// Subscribers of the lab itself, which needs no password.
	const client = ["-h", tls ? network.broker.address : "127.0.0.1", "-p", String(port)];
	let caCertificate: string | undefined;
	if (username === undefined) config.push("allow_anonymous true");
	else {
		host.write(`${directory}/passwords`, "", 0o600);
		await host.run(["mosquitto_passwd", "-b", `${directory}/passwords`, username, password]);
		const others = Object.entries(options.others ?? {});
		for (const other of others)
			await host.run(["mosquitto_passwd", "-b", `${directory}/passwords`, ...other]);
		config.push("allow_anonymous false", `password_file ${directory}/passwords`);
		const [user, word] = others[0] ?? [username, password];
		client.push("-u", user, "-P", word);
	}
	if (tls) {
		caCertificate = await makeCertificates(host);
		const pair = await certificate(host, options.certificate ?? "server");
		config.push(`certfile ${pair.certificate}`, `keyfile ${pair.key}`);
		client.push("--cafile", `${directory}/ca.crt`);
		if (options.clientCertificates) {
			config.push(`cafile ${directory}/ca.crt`, "require_certificate true");
			const own = await certificate(host, "client");
			client.push("--cert", own.certificate, "--key", own.key);
		}
	}
	host.write(`${directory}/mosquitto.conf`, `${config.join("\n")}\n`);
	const process = host.start(["mosquitto", "-c", `${directory}/mosquitto.conf`], { name: "mosquitto" });
	await process.says(/ running$/);

	return {
		process,
		port,
		caCertificate,
		...brokerClients(host, client),
		async stop() {
			await process.end("SIGTERM");
		},
		async crash() {
			await process.end("SIGKILL");
		},
	};
}

/** @param client arguments of mosquitto_sub and mosquitto_pub that lead to the broker */
export function brokerClients(host: Host, client: readonly string[]): BrokerClients {
	const publish: BrokerClients["publish"] = async (topic, payload, { retain = false, qos = 1 } = {}) => {
		const message = payload === "" ? ["-n"] : ["-m", payload];
		const flags = ["-q", String(qos), ...(retain ? ["-r"] : [])];
		await host.run(["mosquitto_pub", ...client, "-t", topic, ...message, ...flags]);
	};
	const subscribe: BrokerClients["subscribe"] = async (onMessage) => {
		const messages: Message[] = [];
		let stands = false;
		// -d only to learn when the subscription stands; its lines do not begin with a brace, and stay in stdio's buffer.
		const argv = ["stdbuf", "-oL", "mosquitto_sub", ...client, "-d", "-q", "1", "-t", "#", "-F", "%j"];
		const subscriber = host.start(argv, {
			name: "mosquitto_sub",
			onLine: (line) => {
				stands ||= line.startsWith("Subscribed ");
				if (!line.startsWith("{")) return;
				// `retain` is 0 or 1 until mosquitto 2.0, false or true since 2.1.
				const { topic, retain, qos, payload } = JSON.parse(line);
				const message = { topic, retain: Number(retain) === 1, qos, payload: payload ?? "", at: Date.now() };
				messages.push(message);
				onMessage?.(message);
			},
		});
		await until("the subscription", () => {
			subscriber.mustRun();
			return stands;
		});
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
	};
}
