import type { Aspect, Cell, Dependency, Fault } from "../cell.ts";
import { mangle, wayFile } from "../mangle.ts";
import { GARBAGE, type Program } from "../parts.ts";
import type { World } from "../world.ts";

/** What a program in front of the real one does, by the fault that it is; `$real` is the real one. */
export const SCRIPTS = {
	"dies in a loop": "echo 'no memory' >&2; exit 1",
	hangs: "exec sleep 1000",
	stopped: 'kill -STOP $$; exec $real "$@"',
	garbage: `cat ${GARBAGE}`,
	half: 'out=/tmp/out-$$; $real "$@" >$out; code=$?; head -c $(($(wc -c <$out) / 2)) $out; exit $code',
	"10 MB": "head -c 10000000 /dev/zero | tr '\\0' x; echo",
	slow: 'sleep 0.3; exec $real "$@"',
	"exit 127": "exit 127",
} as const satisfies Partial<Record<Fault, string>>;
/** The program answers through a relay. */
export const RELAY = `exec ${mangle} ${wayFile} $real "$@"`;
/** One call is killed, the next ones are not. */
export const DIES_ONCE = 'mkdir /tmp/died 2>/dev/null && kill -KILL $$; exec $real "$@"';

export interface Front {
	readonly dependency: Dependency;
	readonly program: Program;
	/** Of which starts of the program it is a fault: a shell pattern of the first argument. */
	readonly when?: string;
	/** What is ended so that the next one is the fake: a pattern of the child's command line. */
	readonly child?: RegExp;
}

/** A cell whose fault stands in front of a program, from now until it is taken away. */
export function inFront(
	{ dependency, program, when, child }: Front,
	fault: Fault,
	script: string,
	more: Partial<Cell> & { readonly what: string },
): Cell {
	return {
		dependency,
		fault,
		async begin(world: World) {
			await world.fake(program, script, when);
			if (more.atStart) return;
			if (child) world.router.signalEach(world.child(child), "SIGKILL");
			if (child) await world.tried(program);
		},
		async end(world) {
			await world.unfake(program);
			world.continueAll();
		},
		...more,
	};
}

/** The program's process is stopped, and goes on later. */
export function stopped(
	dependency: Dependency,
	child: RegExp,
	more: Partial<Cell> & { readonly what: string },
): Cell {
	return {
		dependency,
		fault: "stopped",
		begin: (world) => world.signal(child, "SIGSTOP"),
		end: async (world) => world.continueAll(),
		...more,
	};
}

/** The program's process is killed, once: what is started in its place is well. */
export function killed(
	dependency: Dependency,
	child: RegExp,
	more: Partial<Cell> & { readonly what: string },
): Cell {
	return {
		dependency,
		fault: "dies",
		begin: (world) => world.signal(child, "SIGKILL"),
		end: async () => {},
		...more,
	};
}

/** Programs are not installed as the daemon starts, and are later. */
export function notInstalled(
	dependency: Dependency,
	programs: readonly string[],
	more: Partial<Cell> & { readonly what: string },
): Cell {
	return {
		dependency,
		fault: "missing at start",
		atStart: true,
		begin: (world) => world.uninstall(...programs),
		end: (world) => world.reinstall(...programs),
		...more,
	};
}

export const resting = (...aspects: Aspect[]) => ({ rests: aspects });
