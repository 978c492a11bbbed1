import { mkdtempSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { Router } from "./router.ts";

const LAUNCHER = "/usr/sbin/bgpwarden";
const BUNDLE = "/usr/lib/bgpwarden/bgpwarden.js";
const NEEDED = "(bgpwarden needs QuickJS 2025-04-26 or newer, bellard.org/quickjs, package quickjs)";

const router = new Router([LAUNCHER]);
afterAll(() => router.remove());
beforeEach(() => router.write(BUNDLE, "// the program\n"));

/** A qjs that prints what a real one printed when it was given `--strip-source`, and fails as that did. */
function captured(fixture: string): string {
	const file = fileURLToPath(new URL(`../fixtures/quickjs/${fixture}-usage.txt`, import.meta.url));
	return `#!/bin/sh\ncat '${file}' >&2\nexit 1\n`;
}

/** Runs the launcher. @param path PATH in the place of the router's own and this machine's */
function launch(words = "status", path?: string) {
	const env = path === undefined ? {} : { PATH: path };
	const { status, stdout, stderr } = router.run(`exec "${router.path(LAUNCHER)}" ${words}`, { env });
	return { status, stdout: stdout.replaceAll(router.root, ""), stderr: stderr.replaceAll(router.root, "") };
}

const refused = (line: string) => ({ status: 1, stdout: "", stderr: `bgpwarden: ${line}\n` });

describe("the launcher", () => {
	it("passes everything on, becoming qjs itself", () => {
		router.write("/bin/qjs", '#!/bin/sh\n# knows --strip-source\necho "$$"\nprintf "<%s>" "$@"\n', 0o755);
		const outcome = router.run(`echo $$; exec "${router.path(LAUNCHER)}" events --follow "a b" "" --`);
		const [shell, qjs, words] = outcome.stdout.replaceAll(router.root, "").split("\n");
		expect(qjs).toBe(shell);
		expect(words).toBe(`<--strip-source><-m><${BUNDLE}><events><--follow><a b><><-->`);
	});

	it("asks a qjs that does not show what it knows, such as a script around it", () => {
		router.write("/bin/real", '#!/bin/sh\n[ "$3" = "" ] || printf "<%s>" "$@"\n', 0o755);
		router.write("/bin/qjs", `#!/bin/sh\nexec "${router.path("/bin/real")}" "$@"\n`, 0o755);
		expect(launch("status")).toMatchObject({
			status: 0,
			stdout: `<--strip-source><-m><${BUNDLE}><status>`,
			stderr: "",
		});
	});

	it("names QuickJS-ng in one line", () => {
		router.write("/bin/qjs", captured("quickjs-ng-0.16.2"), 0o755);
		expect(launch()).toEqual(
			refused(`/bin/qjs is QuickJS-ng version 0.16.2, another program with other modules ${NEEDED}`),
		);
	});

	it("names a QuickJS that is too old in one line", () => {
		router.write("/bin/qjs", captured("quickjs-2024-01-13"), 0o755);
		expect(launch()).toEqual(refused(`/bin/qjs is too old: QuickJS version 2024-01-13 ${NEEDED}`));
	});

	it("says why a qjs does not run", () => {
		router.write("/bin/qjs", "#!/bin/sh\necho 'qjs: out of memory' >&2\nexit 1\n", 0o755);
		expect(launch()).toEqual(refused(`/bin/qjs does not run: qjs: out of memory ${NEEDED}`));
	});

	it("says that the program is missing or empty, as after an installation on a full flash", () => {
		router.write("/bin/qjs", "#!/bin/sh\n# --strip-source\necho started\n", 0o755);
		router.write(BUNDLE, "");
		expect(launch()).toEqual(refused(`${BUNDLE} is missing or empty: install the package bgpwarden again`));
	});

	it("says what is missing when there is no qjs", () => {
		// The launcher's own shell, and nothing else.
		const empty = mkdtempSync(join(tmpdir(), "bgpwarden-path-"));
		symlinkSync("/bin/sh", join(empty, "sh"));
		expect(launch("status", empty)).toEqual(refused(`qjs is not installed ${NEEDED}`));
	});
});
