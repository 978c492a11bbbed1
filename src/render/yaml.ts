/** What the manifests are made of. A key is the program's own text. */
export type Yaml = string | number | boolean | readonly Yaml[] | { readonly [key: string]: Yaml };

/**
 * One object as a YAML document, for readers of YAML 1.1 (which Kubernetes has) and 1.2: whatever one of them may take for
 * something other than a text stands in quotes.
 */
export function toYaml(value: Yaml): string {
	return `${lines(value).join("\n")}\n`;
}

function lines(value: Yaml): string[] {
	if (typeof value !== "object") return [scalar(value)];
	if (isList(value)) {
		if (value.length === 0) return ["[]"];
		return value.flatMap((item) => lines(item).map((line, index) => `${index === 0 ? "-" : " "} ${line}`));
	}
	const entries = Object.entries(value);
	if (entries.length === 0) return ["{}"];
	return entries.flatMap(([key, item]) => {
		const inner = lines(item);
		const isBlock = typeof item === "object" && !/^[[{]/.test(inner[0] ?? "");
		return isBlock
			? [`${scalar(key)}:`, ...inner.map((line) => `  ${line}`)]
			: [`${scalar(key)}: ${inner.join()}`];
	});
}

function isList(value: object): value is readonly Yaml[] {
	return Array.isArray(value);
}

/** Words that YAML 1.1 takes for something else (its types bool, null, merge and float). */
const OTHER = /^(?:y|n|yes|no|on|off|true|false|null)$/i;

function scalar(value: string | number | boolean): string {
	if (typeof value !== "string") return String(value);
	// Words, IPv4 addresses and prefixes, seconds.
	const isPlain = /^(?:[a-z][\w./-]*|\d+(?:\.\d+){3}(?:\/\d+)?|\d+s)$/i.test(value) && !OTHER.test(value);
	if (isPlain) return value;
	return /^[ -~]*$/.test(value) ? `'${value.replaceAll("'", "''")}'` : JSON.stringify(value);
}
