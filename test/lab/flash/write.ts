/** A system call that touched the file beside, and the how manieth of its name. */
export interface SystemCall {
	readonly call: string;
	readonly count: number;
	readonly line: string;
}

/** Those of one write, as strace(1) shows them with -y and -P FILE.new, from the first to the rename. */
export function callsOf(lines: readonly string[]): SystemCall[] {
	const counts = new Map<string, number>();
	const calls: SystemCall[] = [];
	for (const line of lines) {
		const call = /^(\w+)\(/.exec(line)?.[1];
		if (call === undefined) continue;
		const count = (counts.get(call) ?? 0) + 1;
		counts.set(call, count);
		calls.push({ call, count, line });
	}
	const last = calls.findLastIndex(({ call }) => call.startsWith("rename"));
	return calls.slice(0, last + 1);
}

/** What a write lacks to be whole whenever it is cut, also by the power: one line each. */
export function faultsOf(calls: readonly SystemCall[]): string[] {
	const faults: string[] = [];
	const lines = calls.map(({ line }) => line);
	const at = (pattern: RegExp) => lines.findLastIndex((line) => pattern.test(line));
	const opened = at(/^open(?:at)?\(.*O_CREAT/);
	const written = at(/^(?:p?write(?:64|v)?)\(/);
	const renamed = at(/^rename(?:at2?)?\(.*\) = 0$/);
	if (opened < 0 || written < opened || renamed < written)
		return [`not opened, written and renamed in this order:`, ...lines];
	const open = lines[opened] ?? "";
	if (!open.includes("O_EXCL"))
		faults.push(`a name that is there already is followed or taken over: ${open}`);
	const synced = at(/^f(?:data)?sync\(.*\) = 0$/);
	const isSynced = /O_D?SYNC/.test(open) || (written < synced && synced < renamed);
	if (!isSynced) faults.push(`renamed before it has reached the flash: ${open}`);
	return faults;
}
