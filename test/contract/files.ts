import { decodeUtf8 } from "../../src/lib/utf8.ts";
import { equal, failureOf, holds, outcome, scratch, until } from "./check.ts";
import type { ContractCase } from "./suite.ts";

export const fileCases: readonly ContractCase[] = [
	{
		name: "text comes back as it was written, appended to, and replaced",
		async run(platform) {
			const { files } = platform;
			const path = `${await scratch(platform)}/text`;
			files.replace(path, "grün 😀\n");
			files.append(path, "second\n");
			equal(files.read(path), "grün 😀\nsecond\n", "text");
			files.replace(path, "new");
			equal(files.read(path), "new", "replaced text");
			files.replace(path, ["one ", "", new Uint8Array([0x7a, 0x77, 0xc3, 0xb6]), "lf\n"]);
			equal(files.read(path), "one zwölf\n", "text in pieces");
			files.append(`${path}2`, "created");
			equal(files.read(`${path}2`), "created", "appended to nothing");
		},
	},
	{
		name: "a file that is given another name is the same, in place of what had it",
		async run(platform) {
			const directory = await scratch(platform);
			const { files } = platform;
			files.replace(`${directory}/one`, "1");
			files.replace(`${directory}/other`, "2");
			const inode = files.status(`${directory}/one`)?.inode;
			files.rename(`${directory}/one`, `${directory}/other`);
			equal(files.list(directory), ["other"], "directory");
			equal(files.read(`${directory}/other`), "1", "text");
			equal(files.status(`${directory}/other`)?.inode, inode, "inode");
			equal(
				failureOf(() => files.rename(`${directory}/none`, `${directory}/other`)),
				`rename: ${directory}/none: No such file or directory`,
				"message",
			);
		},
	},
	{
		name: "a replaced file has its mode and leaves nothing beside it",
		async run(platform) {
			const directory = await scratch(platform);
			platform.files.replace(`${directory}/secret`, "x", { mode: 0o600 });
			const { stdout } = await outcome(platform, ["stat", "-c", "%a", `${directory}/secret`]);
			equal(stdout, "600\n", "mode");
			equal(platform.files.list(directory), ["secret"], "directory");
		},
	},
	{
		name: "a replacement that fails leaves the old file and nothing beside it",
		async run(platform) {
			const directory = await scratch(platform);
			platform.files.makeDirectory(`${directory}/taken/inside`);
			const message = failureOf(() => platform.files.replace(`${directory}/taken`, "x"));
			holds(message.startsWith(`rename: ${directory}/taken: `), message);
			equal(platform.files.list(directory), ["taken"], "directory");
			equal(
				failureOf(() => platform.files.replace(`${directory}/none/x`, "x")),
				`write: ${directory}/none/x: No such file or directory`,
				"message",
			);
		},
	},
	{
		name: "reading what is not a file of text",
		async run(platform) {
			const directory = await scratch(platform);
			const { files } = platform;
			equal(
				failureOf(() => files.read(`${directory}/none`)),
				`read: ${directory}/none: No such file or directory`,
				"missing file",
			);
			holds(
				failureOf(() => files.read(directory))
					.toLowerCase()
					.endsWith("is a directory"),
				"a directory can be read",
			);
			await outcome(platform, ["tee", `${directory}/binary`], new Uint8Array([65, 0xff, 66]));
			equal(files.read(`${directory}/binary`), "A\ufffdB", "invalid UTF-8");
			files.replace(`${directory}/large`, "x".repeat(100));
			equal(
				failureOf(() => files.read(`${directory}/large`, 99)),
				`read: ${directory}/large: larger than 99 bytes`,
				"over the limit",
			);
			equal(files.read(`${directory}/large`, 100).length, 100, "at the limit");
		},
	},
	{
		name: "files of /proc, which have no size",
		async run(platform) {
			holds(platform.files.read("/proc/self/stat").includes("("), "/proc/self/stat");
			holds((platform.files.readLink("/proc/self/exe") ?? "").startsWith("/"), "/proc/self/exe");
			equal(platform.files.readLink("/proc/none"), undefined, "a link that is none");
		},
	},
	{
		name: "what is there: kinds, sizes, directories",
		async run(platform) {
			const { files } = platform;
			const directory = await scratch(platform);
			files.makeDirectory(`${directory}/a/b`);
			files.makeDirectory(`${directory}/a/b`);
			files.replace(`${directory}/a/file`, "12345");
			await outcome(platform, ["mkfifo", `${directory}/a/pipe`]);
			equal(files.list(`${directory}/a`), ["b", "file", "pipe"], "names");
			const kinds = ["b", "file", "pipe"].map((name) => files.status(`${directory}/a/${name}`)?.kind);
			equal(kinds, ["directory", "file", "fifo"], "kinds");
			equal(files.status(`${directory}/a/file`)?.size, 5, "size");
			const age = platform.now().wall - (files.status(`${directory}/a/file`)?.modified ?? 0);
			holds(age > -2000 && age < 60_000, `modified ${age} ms ago`);
			equal(files.status(`${directory}/none`), undefined, "nothing");
			files.remove(`${directory}/a/file`);
			files.remove(`${directory}/a/file`);
			equal(files.list(`${directory}/a`), ["b", "pipe"], "names afterwards");
			holds(failureOf(() => files.list(`${directory}/none`)).startsWith("list: "), "list of nothing");
			files.replace(`${directory}/plain`, "");
			holds(failureOf(() => files.makeDirectory(`${directory}/plain/x`)).startsWith("mkdir: "), "mkdir");
		},
	},
	{
		name: "lines are counted, and the first of them taken off, also of a file of many pieces",
		async run(platform) {
			const { files } = platform;
			const path = `${await scratch(platform)}/lines`;
			const line = (number: number) => `${number} ${"é".repeat(number % 50)}\n`;
			const lines = Array.from({ length: 2000 }, (_, number) => line(number));
			files.replace(path, lines.join(""));
			equal(files.countLines(path), 2000, "lines");
			files.dropLines(path, 1234);
			equal(files.read(path), lines.slice(1234).join(""), "what is left");
			files.append(path, "torn");
			files.dropLines(path, 765);
			equal(files.read(path), `${line(1999)}torn`, "the last line and a torn one");
			files.dropLines(path, 5);
			equal(files.countLines(path), 0, "lines when more are dropped than there are");
			holds(failureOf(() => files.countLines(`${path}2`)).startsWith("read: "), "lines of no file");
			holds(failureOf(() => files.dropLines(`${path}2`, 1)).includes("No such file"), "drop from no file");
			equal(files.status(`${path}2.new`), undefined, "what is left beside it");
		},
	},
	{
		name: "a full disk is an error and loses nothing",
		async run(platform) {
			const message = failureOf(() => platform.files.append("/dev/full", "x"));
			equal(message.toLowerCase(), "write: /dev/full: no space left on device", "message");
		},
	},
	{
		name: "a FIFO delivers what its writers write, and outlives them",
		async run(platform) {
			const path = `${await scratch(platform)}/fifo`;
			await outcome(platform, ["mkfifo", path]);
			let received = "";
			const reader = platform.openFifo(path, (chunk) => {
				received += decodeUtf8(chunk);
			});
			await platform.writeFifo(path, "one\n");
			await until(platform, "the first message", () => received === "one\n");
			await outcome(platform, ["tee", path], "two\n");
			await platform.writeFifo(path, "three\n");
			await until(platform, "all messages", () => received === "one\ntwo\nthree\n");
			reader.close();
			holds(failureOf(() => platform.openFifo(`${path}2`, () => {})).startsWith("open: "), "no FIFO");
		},
	},
	{
		name: "a FIFO that is full, or where a file should be, keeps nobody waiting",
		async run(platform) {
			const directory = await scratch(platform);
			const path = `${directory}/fifo`;
			await outcome(platform, ["mkfifo", path]);
			const reader = platform.openFifo(path, () => {});
			reader.close();
			equal(
				failureOf(() => platform.files.read(path)),
				`read: ${path}: Is a FIFO, not a file`,
				"read",
			);
			equal(
				failureOf(() => platform.files.countLines(path)),
				`read: ${path}: Is a FIFO, not a file`,
				"lines",
			);
			let full = false;
			// 65,536 bytes are what a pipe takes (pipe(7)).
			const fill = 'exec 3<>"$0"; head -c 65536 /dev/zero >&3; echo full; exec sleep 30';
			const onStdout = () => {
				full = true;
			};
			const holder = platform.spawn({ argv: ["sh", "-c", fill, path], onStdout, onExit() {} });
			await until(platform, "the FIFO to be full", () => full);
			let failure = "none";
			await platform.writeFifo(path, "one\n").catch((error: unknown) => {
				failure = String(error);
			});
			holder.kill("SIGKILL");
			equal(failure, `FileError: write: ${path}: full, nobody reads it`, "a full one");
			platform.files.append(path, "line\n");
			equal(platform.files.read(path), "line\n", "a file in its place");
		},
	},
	{
		name: "no link beside a file, nor in its place, is followed",
		async run(platform) {
			const directory = await scratch(platform);
			const { files } = platform;
			files.replace(`${directory}/precious`, "precious");
			const link = (name: string) =>
				outcome(platform, ["ln", "-s", `${directory}/precious`, `${directory}/${name}`]);
			await link("state.new");
			files.replace(`${directory}/state`, "new");
			await link("lines.new");
			files.replace(`${directory}/lines`, "");
			await link("events");
			files.append(`${directory}/events`, "one\ntwo\n");
			await link("events.new");
			files.dropLines(`${directory}/events`, 1);
			equal(files.read(`${directory}/precious`), "precious", "where the links lead");
			equal([files.read(`${directory}/state`), files.read(`${directory}/events`)], ["new", "two\n"], "texts");
			equal(files.list(directory), ["events", "lines", "precious", "state"], "directory");
			equal(files.readLink(`${directory}/events`), undefined, "a link");
		},
	},
	{
		name: "a replacement may be on the disk before it has its name",
		async run(platform) {
			const path = `${await scratch(platform)}/x`;
			platform.files.replace(path, "a".repeat(10_000), { durable: true, mode: 0o600 });
			platform.files.replace(path, "new\n", { durable: true });
			equal(platform.files.read(path), "new\n", "text");
		},
	},
];
