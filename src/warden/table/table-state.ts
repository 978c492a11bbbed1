import type { Actor } from "../../model/actor.ts";
import type { FirewallFacts } from "../../model/firewall.ts";
import type { RepairStatus } from "../../model/status.ts";

/** All times are monotonic milliseconds. */
export interface TableState {
	/** `starting`: listing what is there; `installing`: the first install; then `kept`. */
	readonly phase: "starting" | "installing" | "kept";
	/** Absent until the table was listed. */
	readonly present?: boolean;
	/** The latest install gave the table an owner: the kernel lets nobody else change it. */
	readonly owned: boolean;
	/** When it was last installed. */
	readonly installedAt?: number;
	/** A person has taken it back: it is neither owned nor repaired. */
	readonly released?: true;
	/** Tables by earlier names, removed with the next install. */
	readonly former: readonly string[];
	/** The listing before the first install, to know whether that changed anything. */
	readonly before?: string;
	readonly install: InstallProgress;
	/** Installs in a row that no monitor has shown. */
	readonly unshown?: number;
	/** Installs in a row that have failed. */
	readonly failures: number;
	/** `stale`: something happened since the listing was asked for, so its answer says nothing. */
	readonly listing: "none" | "running" | "stale";
	/** Listings in a row that have failed. */
	readonly unlisted?: number;
	/** The kernel's own listing after an install of the present specification, and when it was read. */
	readonly reference?: { readonly text: string; readonly at: number };
	/** How often in a row a listing right after an install was not the reference. */
	readonly mismatches: number;
	/** The last listing differed from the reference though the monitor showed no change: it is listed once more. */
	readonly suspected: boolean;
	readonly loss?: Loss;
	readonly repairs: number;
	readonly lastRepair?: RepairStatus;
	/** What that repair was for. */
	readonly lastLoss?: Loss;
	/** When the latest repairs were made, oldest first, at most 20. */
	readonly recent: readonly number[];
	readonly contention?: Contention;
	readonly watch: Watch;
	/** The latest install was to have no owner, because of the firewall. */
	readonly withheld?: boolean;
	readonly firewall: FirewallState;
	/** Addresses that the table is installed for, with scope `peers`. */
	readonly addresses: readonly string[];
	/** Peers that have a trace limit of their own. */
	readonly traced: readonly string[];
	/** TCP ports of BGP that the table is installed for, ascending. */
	readonly ports: readonly number[];
	/** Ids of `ensure` commands that wait for the outcome. */
	readonly waiting: readonly string[];
}

/** How far the latest install is. Its change is made when nft ends well; the monitor shows it a moment before or after. */
export type InstallProgress =
	/** @property at when the next install is to start */
	| { readonly is: "idle"; readonly at?: number }
	/**
	 * nft runs. @property shown by the monitor; @property former the earlier names that it removes; @property again when another
	 * install is to start after this one
	 */
	| {
			readonly is: "running";
			readonly shown: boolean;
			readonly former: readonly string[];
			readonly again?: number;
	  }
	/** nft has ended well; the monitor must show the change until `due`. */
	| { readonly is: "unconfirmed"; readonly due: number; readonly again?: number };

/** Whether `nft monitor` shows what happens to the table. */
export type Watch =
	/** @property unproven an install has to show that the new monitor sees the ruleset */
	| { readonly is: "on"; readonly since: number; readonly unproven: boolean }
	/** @property checkAt when to list the table instead */
	| { readonly is: "off"; readonly checkAt?: number };

/** What an owner of the table could keep fw4 from; see firewall.ts. */
export interface FirewallState extends FirewallFacts {
	/** fw4's table is missing, and that is told from `tellAt` on. */
	readonly missing?: { readonly since: number; readonly tellAt: number };
	/** fw4's table came back a moment ago: until then the table has no owner. */
	readonly ownAt?: number;
	readonly lookedAt?: number;
	/** A look is under way. @property again somebody wants another one after it */
	readonly looking?: { readonly since: number; readonly again: boolean };
	/** When to look next. */
	readonly lookAt?: number;
}

/** The table is not as the daemon left it. */
export interface Loss {
	readonly at: number;
	readonly reason: "deleted" | "changed";
	/** Absent when a listing has shown it. */
	readonly actor?: Actor;
}

/** Somebody removes or changes the table again and again. */
export interface Contention {
	readonly since: number;
	readonly lastLoss: number;
	readonly repairs: number;
	/** The latest of them that is known. */
	readonly opponent?: Actor;
}

export function initialTable(addresses: readonly string[], ports: readonly number[]): TableState {
	return {
		phase: "starting",
		owned: false,
		former: [],
		install: { is: "idle" },
		failures: 0,
		listing: "none",
		mismatches: 0,
		suspected: false,
		watch: { is: "off" },
		repairs: 0,
		recent: [],
		firewall: { includes: [] },
		addresses,
		traced: [],
		ports,
		waiting: [],
	};
}

/** Since when the monitor shows every change; undefined: it does not run. */
export function watchedSince({ watch }: TableState): number | undefined {
	return watch.is === "on" ? watch.since : undefined;
}

/** When the next install is to start; undefined: none waits for its time. */
export function scheduledInstall({ install }: TableState): number | undefined {
	return install.is === "idle" ? install.at : install.again;
}

/** When an install or the monitor wants a tick. */
export function tableDeadlines({ install, watch, firewall }: TableState): (number | undefined)[] {
	return [
		firewall.lookAt,
		firewall.ownAt,
		watch.is === "off" ? watch.checkAt : undefined,
		install.is === "unconfirmed" ? install.due : undefined,
		// While nft runs, its end comes first: a deadline in the past would starve it.
		install.is === "idle" ? install.at : install.is === "unconfirmed" ? install.again : undefined,
	];
}
