/**
 * Everything that the daemon diagnoses and the doctor finds, once. Ids are public (MQTT, status.json, `doctor --json`): they are
 * only ever added. docs/diagnoses.md is held to this by a test.
 */

import type { CatalogEntry } from "./catalog-entry.ts";
import { DIAGNOSIS_CATALOG } from "./diagnosis-catalog.ts";
import { FINDING_CATALOG } from "./finding-catalog.ts";

export type { CatalogEntry, Level } from "./catalog-entry.ts";
export { DIAGNOSIS_CATALOG } from "./diagnosis-catalog.ts";
export { FINDING_CATALOG } from "./finding-catalog.ts";

export type DiagnosisId = keyof typeof DIAGNOSIS_CATALOG;
export type FindingId = DiagnosisId | keyof typeof FINDING_CATALOG;

/** Every diagnosis, the gravest first. */
export const DIAGNOSES = Object.keys(DIAGNOSIS_CATALOG) as readonly DiagnosisId[];

/** @returns undefined for an id that is in no catalog, as a later version's */
export function catalogEntry(id: string): CatalogEntry | undefined {
	if (Object.hasOwn(DIAGNOSIS_CATALOG, id)) return DIAGNOSIS_CATALOG[id as DiagnosisId];
	return Object.hasOwn(FINDING_CATALOG, id) ? FINDING_CATALOG[id as keyof typeof FINDING_CATALOG] : undefined;
}
