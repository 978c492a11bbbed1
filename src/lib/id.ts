/** Replaces what may not stand in a topic level or an entity id: all but `[A-Za-z0-9_-]`. Never empty. */
export function reduceId(name: string): string {
	return name.replace(/[^A-Za-z0-9_-]/g, "_") || "_";
}
