// References to objects as Knative writes them (eventing.md §0.4): schema, default and checks.
import { s, type ValueOf } from "#schema";
import { disallowedFields, fieldError, missingField, noErrors, type FieldErrors } from "../knative-field-error.ts";

const text = s.optional(s.string());

/** Nothing is required: what is missing is told by the checks. */
export const KReferenceSchema = s.object({ address: text, apiVersion: text, group: text, kind: text, name: text, namespace: text });
/** A reference to one object; `address` names one of its addresses. */
export type KReference = ValueOf<typeof KReferenceSchema>;

/** What references are judged by. */
export interface ReferenceRules {
  /** Of the object that holds the reference; undefined where any namespace may be named. */
  readonly namespace?: string;
  /** Whether a group may stand for a version of it (feature `kreference-group`). */
  readonly groupAllowed: boolean;
}

function checkVersion({ apiVersion = "", group = "" }: KReference, groupAllowed: boolean): FieldErrors {
  if (!groupAllowed) return (group === "" ? noErrors : disallowedFields("group")).also(apiVersion === "" ? missingField("apiVersion") : noErrors);
  if (apiVersion === "" && group === "") return missingField("apiVersion", "group");
  if (apiVersion === "" || group === "" || apiVersion.startsWith(group)) return noErrors;
  const message = "both apiVersion and group are specified and they refer to different API groups";
  return fieldError(message, ["apiVersion", "group"], "Only one of them must be specified");
}

function checkNamespace({ namespace = "" }: KReference, parent: string | undefined): FieldErrors {
  if (namespace === "" || parent === undefined || parent === "" || namespace === parent) return noErrors;
  const details = `parent namespace: ${JSON.stringify(parent)} does not match ref: ${JSON.stringify(namespace)}`;
  return fieldError("mismatched namespaces", "namespace", details);
}

/** Errors at the reference. */
export function checkKReference(reference: KReference, rules: ReferenceRules): FieldErrors {
  const { name = "", kind = "" } = reference;
  return (name === "" ? missingField("name") : noErrors).also(
    checkVersion(reference, rules.groupAllowed),
    kind === "" ? missingField("kind") : noErrors,
    checkNamespace(reference, rules.namespace),
  );
}

/** The reference with the namespace of the object that holds it, where it names none. */
export function withNamespace(reference: KReference, namespace: string): KReference {
  return (reference.namespace ?? "") === "" && namespace !== "" ? { ...reference, namespace } : reference;
}
