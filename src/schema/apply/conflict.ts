// Conflicts of an apply as Kubernetes tells them: one cause a field, the managers in order.
import { StatusError } from "#core";
import { compareTexts } from "./element.ts";
import type { ManagedFieldsEntry } from "./entries.ts";
import { difference, isEmpty, pathsOf, pathText, type Fields } from "./fields.ts";
import type { Conflicts } from "./update.ts";

/** More causes than these do not help anybody. */
const CAUSES_MAX = 1000;

/** A manager in messages, from its identifier. */
function managerText(id: string): string {
  const { manager = "", operation, apiVersion, subresource } = JSON.parse(id) as Partial<ManagedFieldsEntry>;
  const named = `${JSON.stringify(manager)}${subresource === undefined ? "" : ` with subresource ${JSON.stringify(subresource)}`}`;
  return operation === "Update" ? `${named} using ${apiVersion ?? ""}` : named;
}

/** The conflicts without the fields that may be taken over. */
export function withoutAllowed(conflicts: Conflicts, allowed: Fields): Conflicts {
  return new Map([...conflicts].map(([id, fields]) => [id, difference(fields, allowed)] as const).filter(([, fields]) => !isEmpty(fields)));
}

export function conflictError(conflicts: Conflicts): StatusError {
  const managers = [...conflicts]
    .sort(([a], [b]) => compareTexts(a, b))
    .map(([id, fields]) => ({ text: managerText(id), paths: [...pathsOf(fields)].map(pathText) }));
  const causes = managers.flatMap(({ text, paths }) => paths.map((field) => ({ reason: "FieldManagerConflict", message: `conflict with ${text}`, field })));
  const [first] = causes;
  const list = managers.map(({ text, paths }) => `conflicts with ${text}:\n${paths.map((path) => `- ${path}`).join("\n")}`).join("\n");
  const what = causes.length === 1 && first !== undefined ? `1 conflict: ${first.message}: ${first.field}` : `${causes.length} conflicts: ${list}`;
  return new StatusError("Conflict", `Apply failed with ${what}`, { details: { causes: causes.slice(0, CAUSES_MAX) } });
}
