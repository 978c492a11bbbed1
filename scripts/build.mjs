// Builds the one file that runs under `qjs -m` and under `node`.
// Usage: node scripts/build.mjs [entry=src/main.ts] [outfile=dist/bgpwarden.js]
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
	accessSync,
	constants,
	existsSync,
	mkdirSync,
	readdirSync,
	readFileSync,
	writeFileSync,
} from "node:fs";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { minify } from "terser";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const [entry = resolve(root, "src/main.ts"), outfile = resolve(root, "dist/bgpwarden.js")] =
	process.argv.slice(2);
const shims = resolve(root, "src/platform/shims");
const { version } = JSON.parse(readFileSync(resolve(root, "package.json"), "utf8"));

/** Of the source, in milliseconds since 1970: one and the same source builds one and the same file. 0: not known. */
function sourceDate() {
	const given = process.env.SOURCE_DATE_EPOCH;
	if (given) return Number(given) * 1000;
	const log = spawnSync("git", ["log", "-1", "--format=%ct"], { cwd: root, encoding: "utf8" });
	return log.status === 0 ? Number(log.stdout) * 1000 : 0;
}

/** What the bundle and the library inside it share. */
const common = {
	bundle: true,
	target: "es2023",
	minify: true,
	legalComments: "none",
	define: { __VERSION__: JSON.stringify(version), __BUILT__: String(sourceDate()) },
};

/** Leaves `std` and `os` (QuickJS) and `node:*` to the engines; anything else of Node's fails the build. */
const engineModules = {
	name: "engine modules",
	setup({ onResolve }) {
		onResolve({ filter: /^(std|os|node:.*)$/ }, ({ path }) => ({ path, external: true }));
	},
};

/** `codes` and the functions of readable-stream's errors: `ERR_STREAM_DESTROYED` says `stream destroyed`. */
const STREAM_ERRORS = `
	const named = (code) => class extends Error {
		code = code;
		message = code.slice(4).toLowerCase().replaceAll("_", " ");
	};
	exports.codes = new Proxy({}, { get: (_, code) => named(code) });
	exports.AbortError = named("ERR_ABORTED");
	exports.aggregateTwoErrors = (inner, outer) => inner ?? outer;`;

/** Streams' base class without its own `pipe`, in whose place readable-stream puts another. */
const STREAM = `
	const { EventEmitter } = require("events");
	function Stream(options) {
		EventEmitter.call(this, options);
	}
	Object.setPrototypeOf(Stream.prototype, EventEmitter.prototype);
	Stream._isUint8Array = (value) => value instanceof Uint8Array;
	Stream._uint8ArrayToBuffer = ({ buffer, byteOffset, byteLength }) => Buffer.from(buffer, byteOffset, byteLength);
	exports.Stream = Stream;
	exports.prependListener = (emitter, event, listener) => emitter.prependListener(event, listener);`;

/**
 * Texts in place of npm modules. `mqtt` is cut down to its client, `readable-stream` to the classes that mqtt and bl extend,
 * without pipelines, operators and promises. mqtt looks whether this is a browser, and has timers for one (is-browser,
 * get-timer). The rest are imported and never reached with our options: topic aliases (MQTT 5), abort-controller (the classes are
 * only looked at), debug; the text of a stream's buffers (util/inspect), streams' setEncoding (string_decoder), Duplex.from
 * (duplexify), Readable.from (from), option `signal` (add-abort-signal), and their use as asynchronous iterators and
 * `Symbol.asyncDispose` (end-of-stream); buffers' base64 (base64-js) and floating point (ieee754). Streams check their callers'
 * arguments (validators) and describe every mistake of a caller's in a sentence (errors): the callers are the libraries here, and
 * the name of the error is enough.
 * The list of buffers that mqtt-packet collects in is a stream besides (bl), which nobody reads.
 * MQTT 3.1.1 has no packet AUTH (auth): it ends the connection. mqtt keeps a deep copy of each message until it is acknowledged,
 * since it takes MQTT 5's topic alias out of it (rfdc); without those a shallow one will do.
 */
const replaced = {
	mqtt: 'exports.MqttClient = require("mqtt/lib/client").default',
	"base64-js": "",
	bl: 'const List = require("bl/BufferList"); module.exports = () => new List()',
	"abort-controller": "exports.AbortController = class {}; exports.AbortSignal = class {}",
	debug: "module.exports = () => () => {}",
	ieee754: "",
	"readable-stream": `
		exports.Readable = require("readable-stream/lib/internal/streams/readable");
		exports.Writable = require("readable-stream/lib/internal/streams/writable");
		exports.Duplex = require("readable-stream/lib/internal/streams/duplex");`,
	"string_decoder/": "exports.StringDecoder = class {}",
	"./get-timer":
		"module.exports = () => ({ set: (...call) => setInterval(...call), clear: (timer) => clearInterval(timer) })",
	"./is-browser": "exports.__esModule = true; exports.default = false",
	"./util/inspect": "",
	"rfdc/default": "module.exports = (packet) => ({ ...packet })",
	"./auth": `
		module.exports = (client) => {
			client._cleanUp(true);
			client.emit("error", new Error("an AUTH packet, which MQTT 3.1.1 does not have"));
		};`,
	"./add-abort-signal": "",
	"./end-of-stream": "",
	"./duplexify": "",
	"./from": "",
	"./errors": STREAM_ERRORS,
	"./legacy": STREAM,
	"process-nextick-args": "exports.nextTick = process.nextTick",
	"../ours/errors": STREAM_ERRORS,
	"../../ours/errors": STREAM_ERRORS,
	"../validators": "module.exports = new Proxy({}, { get: () => () => {} })",
	"./topic-alias-recv": "",
	"../topic-alias-send": "",
};

const packageShims = {
	name: "package shims",
	setup({ onResolve, onLoad }) {
		onResolve({ filter: /^process\/?$/ }, () => ({ path: resolve(shims, "process.ts") }));
		onResolve({ filter: /^[a-z0-9_./-]+$/ }, ({ path }) =>
			Object.hasOwn(replaced, path) ? { path, namespace: "replaced" } : undefined,
		);
		onLoad({ filter: /\/node_modules\/mqtt\/package\.json$/ }, ({ path }) => ({
			contents: JSON.stringify({ version: JSON.parse(readFileSync(path, "utf8")).version }),
			loader: "json",
		}));
		onLoad({ filter: /.*/, namespace: "replaced" }, ({ path }) => ({
			contents: replaced[path],
			resolveDir: root,
		}));
	},
};

/**
 * Bundles the npm packages apart and embeds them as text that is compiled when first imported. Otherwise qjs compiles
 * them at every start, `--version` and the hooks included: 14 ms more on a fast PC, many times that on a router.
 */
const embeddedLibrary = {
	name: "embedded library",
	setup({ onLoad }) {
		onLoad({ filter: /\/src\/.*-library\.ts$/ }, async ({ path }) => {
			const library = await build({
				...common,
				entryPoints: [path],
				write: false,
				platform: "browser",
				format: "iife",
				globalName: "library",
				footer: { js: "return library" },
				// Only the MQTT packages want Node's globals; the others would bring the shims for nothing.
				inject: /\/mqtt\//.test(path) ? [resolve(shims, "globals.ts")] : [],
				plugins: [packageShims],
				metafile: true,
			});
			for (const input of Object.keys(library.metafile.inputs)) noteLicense(input);
			const text = JSON.stringify(await squeeze(library.outputFiles[0].text, { bare_returns: true }));
			return { contents: `export const { ${(await exportsOf(path)).join()} } = new Function(${text})();` };
		});
	},
};

/** Flash is small: what esbuild has minified comes out of terser some percent smaller. @param parse terser's options */
async function squeeze(code, parse) {
	const { code: smaller } = await minify(code, {
		parse,
		module: parse === undefined,
		ecma: 2020,
		compress: {
			passes: 3,
			ecma: 2020,
			unsafe_arrows: parse === undefined,
			...(parse === undefined ? {} : { pure_funcs: isWanted }),
		},
		mangle: parse === undefined ? { toplevel: true } : true,
		format: { ecma: 2020, comments: false },
	});
	return smaller;
}

/** Whether a call in a library does something: mqtt logs each step of its own, and nobody listens (terser's `pure_funcs`). */
function isWanted({ expression }) {
	return !/\.log$/.test(expression.print_to_string());
}

/** License texts of the packages inside the bundle, by name and version: they ask to be handed on with it. */
const licenses = new Map();

function noteLicense(input) {
	const directory = /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input)?.[0];
	if (!directory) return;
	const { name, version } = JSON.parse(readFileSync(resolve(root, directory, "package.json"), "utf8"));
	const file = readdirSync(resolve(root, directory)).find((entry) => /^licen[cs]e/i.test(entry));
	if (!file) throw new Error(`${directory}: a package without a license file cannot be bundled`);
	licenses.set(`${name} ${version}`, readFileSync(resolve(root, directory, file), "utf8").trim());
}

/** The names that a module exports. */
async function exportsOf(path) {
	const { metafile } = await build({ entryPoints: [path], format: "esm", metafile: true, write: false });
	return Object.values(metafile.outputs)[0].exports;
}

/** A hash of everything that the bundle is made of; it takes ten seconds to make, and every target asks for it. */
function inputsHash() {
	const hash = createHash("sha256").update(JSON.stringify([process.version, common.define]));
	const sources = readdirSync(resolve(root, "src"), { recursive: true, withFileTypes: true })
		.filter((file) => file.isFile())
		.map((file) => resolve(file.parentPath, file.name))
		.sort();
	for (const file of [...sources, resolve(root, "package-lock.json"), fileURLToPath(import.meta.url)]) {
		hash.update(`${file}\0`).update(readFileSync(file));
	}
	return hash.digest("hex");
}

const stamp = process.argv.length > 2 ? undefined : resolve(root, "dist/.built-from");
const inputs = stamp && inputsHash();
if (stamp && existsSync(outfile) && existsSync(stamp) && readFileSync(stamp, "utf8") === inputs)
	process.exit(0);

try {
	accessSync(dirname(resolve(outfile)), constants.W_OK | constants.X_OK);
} catch (error) {
	if (error.code !== "ENOENT") {
		process.stderr.write(
			`build: ${error.message}: another user's, as an earlier run with sudo leaves it (sudo chown -R)\n`,
		);
		process.exit(1);
	}
}

const bundle = await build({
	...common,
	entryPoints: [resolve(entry)],
	write: false,
	platform: "neutral",
	format: "esm",
	plugins: [engineModules, embeddedLibrary],
});
mkdirSync(dirname(resolve(outfile)), { recursive: true });
writeFileSync(resolve(outfile), await squeeze(bundle.outputFiles[0].text));

writeFileSync(
	resolve(outfile).replace(/\.m?js$/, ".licenses.txt"),
	[...licenses]
		.sort()
		.map(([name, text]) => `${name}\n\n${text}\n`)
		.join(`\n${"-".repeat(72)}\n\n`),
);
if (stamp) writeFileSync(stamp, inputs);
