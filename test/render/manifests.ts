import { readFileSync } from "node:fs";
import { Ajv } from "ajv";
import { loadAll } from "js-yaml";
import { expect } from "vitest";
import type { Rendered } from "../../src/render/misfits.ts";
import type { Plan } from "../../src/render/plan.ts";
import { type Options, plan } from "./sample-plan.ts";

export interface Resource {
	readonly apiVersion: string;
	readonly kind: string;
	readonly metadata: { readonly name: string; readonly namespace?: string };
	readonly spec: Readonly<Record<string, unknown>>;
}

const ajv = new Ajv({
	...{ strict: false, allErrors: true },
	// As Kubernetes has them; what it does not know it does not check either.
	formats: { int32: true, int64: true, ipv4: true, ipv6: true, cidr: true, duration: true },
});

/** What Kubernetes itself says of a Secret (core/v1). */
const SECRET = {
	type: "object",
	properties: {
		...{ apiVersion: { const: "v1" }, kind: { const: "Secret" }, metadata: { type: "object" } },
		...{ type: { const: "kubernetes.io/basic-auth" }, stringData: { type: "object" } },
	},
	required: ["apiVersion", "kind", "metadata", "type", "stringData"],
	additionalProperties: false,
};

function schemaOf(kind: string): object {
	if (kind === "Secret") return SECRET;
	return JSON.parse(readFileSync(new URL(`../fixtures/crds/${kind}.json`, import.meta.url), "utf8"));
}

/** RFC 1123, which metadata.name has to follow. */
const NAME = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/;

/** Reads what is rendered; each document is held to its CustomResourceDefinition. */
export function resources(text: string): Resource[] {
	// All of a masked Secret is a comment.
	const documents = (loadAll(text) as (Resource | null | undefined)[]).flatMap((document) => document ?? []);
	for (const document of documents) {
		const { kind, metadata } = document;
		if (!ajv.getSchema(kind)) ajv.addSchema(schemaOf(kind), kind);
		ajv.validate(kind, document);
		expect({ kind, errors: ajv.errors }).toEqual({ kind, errors: null });
		expect(metadata.name).toMatch(NAME);
	}
	return documents;
}

/** The documents that a renderer makes of these peers, and their text. */
export function rendering(what: Rendered, render: (plan: Plan) => string | { readonly error: string }) {
	return (
		peers: readonly Options[],
		pools?: string | readonly string[],
		main?: Options,
		secrets?: boolean,
	): { readonly text: string; readonly documents: readonly Resource[] } => {
		const text = render(plan(peers, pools, main, what, secrets));
		if (typeof text !== "string") throw new Error(text.error);
		return { text, documents: resources(text) };
	};
}

/** Kinds and names, in their order. */
export function names(documents: readonly Resource[]): string[] {
	return documents.map(({ kind, metadata }) => `${kind} ${metadata.name}`);
}
