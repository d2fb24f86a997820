// What sources have in common: a sink, and what is added to events on their way (eventing.md §0.4, Source duck).
import { s, type ValueOf } from "#schema";
import { invalidKeyName, noErrors, type FieldErrors } from "../knative-field-error.ts";
import { checkDestination, DestinationSchema } from "./destination.ts";
import type { ReferenceRules } from "./reference.ts";
import { authStatus, duckStatus } from "./status.ts";

const text = s.optional(s.string());

const Overrides = s.object({ extensions: s.optional(s.map(s.string())) });

/** Properties of `spec` of every source. */
export const sourceSpec = { ceOverrides: s.optional(Overrides), sink: s.filled(DestinationSchema) };
const SourceSpec = s.object(sourceSpec);
export type SourceSpec = ValueOf<typeof SourceSpec>;

/** Properties of `status` of every source. */
export const sourceStatus = {
  ...duckStatus,
  ...authStatus,
  ceAttributes: s.optional(s.list(s.object({ source: text, type: text }), { plain: true })),
  sinkAudience: text,
  sinkCACerts: text,
  sinkUri: text,
};

/** The first name that is none, as in Knative; letters may be large although CloudEvents has small ones only. */
function checkOverrides(extensions: Readonly<Record<string, string>> | undefined): FieldErrors {
  const wrong = Object.keys(extensions ?? {}).find((key) => !/^[A-Za-z0-9]+$/.test(key));
  if (wrong === undefined) return noErrors;
  return invalidKeyName(wrong, "", wrong === "" ? "keys MUST NOT be empty" : "keys are expected to be alphanumeric").viaField("ceOverrides", "extensions");
}

/** Errors at the spec. */
export function checkSource(spec: Partial<SourceSpec>, rules: ReferenceRules): FieldErrors {
  return checkDestination(spec.sink, rules).viaField("sink").also(checkOverrides(spec.ceOverrides?.extensions));
}
