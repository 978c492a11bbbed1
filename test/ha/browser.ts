import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import type { Host } from "../lab/host.ts";
import { until } from "../lab/wait.ts";

interface Reply {
	readonly id?: number;
	readonly result?: Record<string, unknown>;
	readonly error?: { readonly message: string };
}

/** Headless Chromium in a host's network, driven through the DevTools protocol over a pipe. */
export class Browser {
	private last = 0;
	private readonly waiting = new Map<number, (reply: Reply) => void>();
	private session: string | undefined;
	private readonly profile = mkdtempSync(join(tmpdir(), "bgpwarden-chromium-"));
	private readonly child: ChildProcess;

	private constructor(host: Host) {
		const flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--lang=en-US"];
		const own = ["--remote-debugging-pipe", `--user-data-dir=${this.profile}`, "about:blank"];
		this.child = spawn("nsenter", ["-t", String(host.pid), "-n", "--", "chromium", ...flags, ...own], {
			stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"],
		});
		let rest = "";
		(this.child.stdio[4] as Readable).setEncoding("utf8").on("data", (chunk: string) => {
			// Each message ends with a zero byte.
			const messages = (rest + chunk).split("\0");
			rest = messages.pop() ?? "";
			for (const message of messages) {
				const reply: Reply = JSON.parse(message);
				if (reply.id !== undefined) this.waiting.get(reply.id)?.(reply);
			}
		});
	}

	/** @param size of the page in CSS pixels */
	static async open(host: Host, size: { readonly width: number; readonly height: number }): Promise<Browser> {
		const browser = new Browser(host);
		const { targetId } = await browser.call("Target.createTarget", { url: "about:blank" });
		const attached = await browser.call("Target.attachToTarget", { targetId, flatten: true });
		browser.session = String(attached.sessionId);
		await browser.call("Page.enable");
		await browser.call("Emulation.setDeviceMetricsOverride", {
			...size,
			deviceScaleFactor: 1,
			mobile: false,
		});
		return browser;
	}

	async call(method: string, params: Record<string, unknown> = {}): Promise<Record<string, unknown>> {
		const id = ++this.last;
		const message = { id, method, params, ...(this.session ? { sessionId: this.session } : {}) };
		(this.child.stdio[3] as Writable).write(`${JSON.stringify(message)}\0`);
		const reply = await new Promise<Reply>((resolve) => this.waiting.set(id, resolve));
		this.waiting.delete(id);
		if (reply.error) throw new Error(`${method}: ${reply.error.message}`);
		return reply.result ?? {};
	}

	/** Runs an expression in the page and returns its JSON value. */
	async evaluate(expression: string): Promise<unknown> {
		const options = { expression, returnByValue: true, awaitPromise: true };
		const { result } = await this.call("Runtime.evaluate", options);
		return (result as { value?: unknown }).value;
	}

	/** Goes to an address and waits until the page, shadow roots included, shows a text. */
	async show(url: string, text: string): Promise<void> {
		await this.call("Page.navigate", { url });
		const words = `(function all(root) {
			return [...root.querySelectorAll("*")].map((element) =>
				(element.shadowRoot ? all(element.shadowRoot) : "") + [...element.childNodes]
					.filter((node) => node.nodeType === 3).map((node) => node.textContent).join(" ")).join(" ");
		})(document)`;
		await until(`the page to show '${text}'`, () => this.evaluate(words), {
			holds: (shown) => String(shown).includes(text),
			timeout: 30_000,
			every: 250,
		});
	}

	/** @param part of the page, in CSS pixels. @returns the PNG */
	async screenshot(part: {
		readonly x: number;
		readonly y: number;
		readonly width: number;
		readonly height: number;
	}): Promise<Buffer> {
		const clip = { ...part, scale: 1 };
		const { data } = await this.call("Page.captureScreenshot", { format: "png", clip });
		return Buffer.from(String(data), "base64");
	}

	async close(): Promise<void> {
		const ended = new Promise((resolve) => this.child.once("close", resolve));
		await this.call("Browser.close").catch(() => this.child.kill("SIGKILL"));
		await ended;
		rmSync(this.profile, { recursive: true, force: true });
	}
}
