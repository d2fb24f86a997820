// The query parameters of a write, checked as Kubernetes checks the options of its verb.
import type { FieldError, FieldValidation } from "#schema";
import { isDryRun } from "./delete.ts";
import { invalidOptions, type OptionsKind } from "./errors.ts";
import type { Verb } from "./port.ts";

export interface WriteOptions {
  readonly dryRun: boolean;
  readonly fieldValidation: FieldValidation;
}

const KINDS: Partial<Record<Verb, OptionsKind>> = { create: "CreateOptions", update: "UpdateOptions", patch: "PatchOptions" };

/** Options of other verbs are their own: reads have none, deletions also have a body. */
export function writeOptions(verb: Verb | undefined, query: URLSearchParams): WriteOptions {
  const kind = verb === undefined ? undefined : KINDS[verb];
  if (kind === undefined) return { dryRun: false, fieldValidation: "Warn" };
  const dryRun = isDryRun(query.getAll("dryRun"), kind);
  const fieldValidation = query.get("fieldValidation") || "Warn";
  if (fieldValidation === "Strict" || fieldValidation === "Warn" || fieldValidation === "Ignore") return { dryRun, fieldValidation };
  const message = `Unsupported value: ${JSON.stringify(fieldValidation)}: supported values: "", "Ignore", "Strict", "Warn"`;
  const error: FieldError = { type: "FieldValueNotSupported", field: "fieldValidation", message };
  throw invalidOptions(kind, error);
}
