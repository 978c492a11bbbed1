import { request } from "node:http";
import { WebSocket } from "ws";

/** The client id that the tests sign in with; any address will do. */
export const CLIENT_ID = "http://127.0.0.1:8123/";

/** A state as Home Assistant's own frontend gets it. */
export interface State {
	readonly entity_id: string;
	readonly state: string;
	readonly attributes: Readonly<Record<string, unknown>>;
	readonly last_changed: string;
}

/** Part of an entry of the device registry. */
export interface DeviceEntry {
	readonly id: string;
	readonly identifiers: readonly (readonly [string, string])[];
	readonly name: string;
	readonly manufacturer: string;
	readonly model: string;
	readonly sw_version: string | null;
	readonly via_device_id: string | null;
}

/** Part of an entry of the entity registry. */
export interface EntityEntry {
	readonly entity_id: string;
	readonly unique_id: string;
	readonly device_id: string | null;
	readonly entity_category: string | null;
	readonly platform: string;
	readonly original_name: string | null;
}

/** Home Assistant's REST API over a Unix socket that leads to it. @throws Error unless the answer is 2xx */
export function rest<T>(
	socketPath: string,
	method: "GET" | "POST",
	path: string,
	options: { readonly body?: unknown; readonly form?: Record<string, string>; readonly token?: string } = {},
): Promise<T> {
	const { body, form, token } = options;
	const text = form ? new URLSearchParams(form).toString() : body === undefined ? "" : JSON.stringify(body);
	const headers = {
		...(text === ""
			? {}
			: { "Content-Type": form ? "application/x-www-form-urlencoded" : "application/json" }),
		"Content-Length": Buffer.byteLength(text),
		...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
	};
	return new Promise((resolve, reject) => {
		const sent = request({ socketPath, method, path, headers }, (response) => {
			let answer = "";
			response.setEncoding("utf8").on("data", (chunk: string) => {
				answer += chunk;
			});
			response.on("end", () => {
				const { statusCode = 0 } = response;
				if (statusCode < 200 || statusCode > 299)
					reject(new Error(`${method} ${path}: ${statusCode}: ${answer.slice(0, 300)}`));
				else resolve((answer === "" ? undefined : JSON.parse(answer)) as T);
			});
		});
		sent.on("error", reject);
		sent.end(text);
	});
}

interface Reply {
	readonly id?: number;
	readonly type: string;
	readonly success?: boolean;
	readonly result?: unknown;
	readonly error?: { readonly message: string };
	readonly event?: unknown;
}

/** One connection of Home Assistant's WebSocket API. */
export class Api {
	private last = 0;
	private readonly waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
	private readonly listeners = new Map<number, (event: unknown) => void>();

	private constructor(private readonly socket: WebSocket) {
		socket.on("message", (data) => this.receive(JSON.parse(String(data))));
		socket.on("close", () => {
			for (const { reject } of this.waiting.values()) reject(new Error("the API's connection was closed"));
			this.waiting.clear();
		});
	}

	static connect(socketPath: string, token: string): Promise<Api> {
		const socket = new WebSocket(`ws+unix:${socketPath}:/api/websocket`);
		return new Promise((resolve, reject) => {
			socket.on("error", reject);
			socket.on("close", () => reject(new Error("the API closed the connection")));
			socket.on("message", (data) => {
				const message: Reply = JSON.parse(String(data));
				if (message.type === "auth_required")
					socket.send(JSON.stringify({ type: "auth", access_token: token }));
				else if (message.type === "auth_ok") {
					socket.removeAllListeners("message");
					resolve(new Api(socket));
				} else reject(new Error(`the API refused: ${String(data)}`));
			});
		});
	}

	/** Sends a command and returns its result. @throws Error with Home Assistant's words */
	call<T>(command: { readonly type: string; readonly [option: string]: unknown }): Promise<T> {
		const id = ++this.last;
		this.socket.send(JSON.stringify({ id, ...command }));
		return new Promise((resolve, reject) => {
			this.waiting.set(id, { resolve: (value) => resolve(value as T), reject });
		});
	}

	/** Subscribes to an event of Home Assistant's bus. */
	async listen(eventType: string, onEvent: (event: unknown) => void): Promise<void> {
		this.listeners.set(this.last + 1, onEvent);
		await this.call({ type: "subscribe_events", event_type: eventType });
	}

	close(): void {
		this.socket.terminate();
	}

	private receive(message: Reply): void {
		const { id = 0, type, success, result, error, event } = message;
		if (type === "event") this.listeners.get(id)?.(event);
		if (type !== "result") return;
		const waiting = this.waiting.get(id);
		this.waiting.delete(id);
		if (success) waiting?.resolve(result);
		else waiting?.reject(new Error(error?.message ?? "failed"));
	}
}
