import type { BirdRoute, KernelRoute, NextHop, PolicyRule } from "../../model/service-path.ts";

/** The route that BIRD would use for the address: of those that it has chosen, the one with the longest prefix. */
export function bestInBird(routes: readonly BirdRoute[]): BirdRoute | undefined {
	return routes
		.filter(({ best }) => best)
		.sort((one, other) => lengthOf(other.prefix) - lengthOf(one.prefix))
		.at(0);
}

/** The route that the kernel takes of a table: the longest prefix, and of these the smallest metric. */
export function bestInKernel(routes: readonly KernelRoute[], table = "main"): KernelRoute | undefined {
	return routes
		.filter((route) => route.table === table)
		.sort((one, other) => other.length - one.length || one.metric - other.metric)
		.at(0);
}

/** Whether packets that take one of the first may as well have taken one of the others. What is not told fits. */
export function sameHop(one: NextHop, others: readonly NextHop[]): boolean {
	return (
		others.length === 0 ||
		others.some(
			({ gateway, interface: device }) =>
				gateway === one.gateway &&
				(device === undefined || one.interface === undefined || device === one.interface),
		)
	);
}

/** Why the kernel takes a route of another table than main: the first rule that leads to a table whose route is this one. */
export function ruleFor(
	taken: NextHop & { readonly table?: string },
	routes: readonly KernelRoute[],
	rules: readonly PolicyRule[],
): PolicyRule | undefined {
	return rules.find(({ table }) => {
		if (table === undefined || table === "main" || table === "local") return false;
		if (taken.table !== undefined) return table === taken.table;
		// Busybox does not tell the table.
		const best = bestInKernel(routes, table);
		return best !== undefined && best.nextHops.length > 0 && sameHop(taken, best.nextHops);
	});
}

/** Bits of a prefix. */
export function lengthOf(prefix: string): number {
	return Number(prefix.split("/")[1] ?? 0);
}

/** `via 192.168.1.2 on br-lan`. */
export function describeHop({ gateway, interface: device }: NextHop): string {
	const on = device === undefined ? "" : ` on ${device}`;
	return gateway === undefined ? `directly${on}` : `via ${gateway}${on}`;
}

/** Several of them; nothing where none was told. */
export function describeHops(hops: readonly NextHop[]): string {
	return hops.map(describeHop).join(", ");
}

export function describeKernelRoute({
	prefix,
	kind,
	table,
	protocol,
	metric,
	nextHops,
}: KernelRoute): string {
	const words = [
		...(kind === "unicast" ? [prefix] : [kind, prefix]),
		...(nextHops.length > 0 ? [describeHops(nextHops)] : []),
		...(table === "main" ? [] : [`table ${table}`]),
		...(protocol === undefined ? [] : [`proto ${protocol}`]),
		...(metric === 0 ? [] : [`metric ${metric}`]),
	];
	return words.join(" ");
}
