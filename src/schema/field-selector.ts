// Field selectors: `metadata.name=x,status.phase!=Running` on the fields that a kind offers.
import { badRequest } from "#core";
import type { Kind } from "./kind.ts";
import type { KubeObject } from "./object.ts";

export interface FieldRequirement {
  readonly field: string;
  readonly equals: boolean;
  readonly value: string;
}

/** All requirements have to hold; none match everything. */
export type FieldRequirements = readonly FieldRequirement[];

/** Splits at commas that no backslash protects. */
function termsOf(text: string): string[] {
  return (text.match(/(?:\\.|[^,\\]|\\$)+/gs) ?? []).sort();
}

const TERM = /^(.*?)(!=|==|=)(.*)$/s;

function unescaped(text: string): string {
  return text.replaceAll(/\\(.?)|=/gsu, (found, escaped?: string) => {
    if (escaped === undefined) throw badRequest(`invalid field selector: unescaped character in value: ${found.charCodeAt(0)}`);
    if (!["\\", ",", "="].includes(escaped)) throw badRequest(`invalid field selector: invalid escape sequence: ${found}`);
    return escaped;
  });
}

/** Throws StatusError `BadRequest`, in Kubernetes' words, for text that cannot be read. Which fields there are is the kind's to say. */
export function parseFieldSelector(text: string): FieldRequirements {
  return termsOf(text).flatMap((term) => {
    const [, field, operator, value] = TERM.exec(term) ?? [];
    if (field === undefined || value === undefined) throw badRequest(`invalid selector: '${text}'; can't understand '${term}'`);
    // An operator alone asks for nothing.
    return field === "" && value === "" ? [] : [{ field, equals: operator !== "!=", value: unescaped(value) }];
  });
}

type Selectable = Pick<Kind, "selectableFields" | "scope" | "custom">;

function isOffered(field: string, { selectableFields, scope, custom }: Selectable): boolean {
  if (field === "metadata.name") return true;
  // Kubernetes' cluster-scoped kinds with fields of their own leave the namespace out, as custom kinds do.
  if (field === "metadata.namespace") return scope === "Namespaced" || (!custom && selectableFields === undefined);
  return Object.hasOwn(selectableFields ?? {}, field);
}

/** Throws StatusError `BadRequest` for the first field that the kind does not offer. */
export function checkFields(requirements: FieldRequirements, kind: Selectable): void {
  for (const { field } of requirements) {
    if (isOffered(field, kind)) continue;
    const ownFields = kind.custom || kind.selectableFields !== undefined;
    throw badRequest(
      ownFields ? `field label not supported: ${field}` : `${JSON.stringify(field)} is not a known field selector: only "metadata.name", "metadata.namespace"`,
    );
  }
}

function valueOf(field: string, kind: Pick<Kind, "selectableFields">, object: KubeObject): string {
  if (field === "metadata.name") return object.metadata.name;
  if (field === "metadata.namespace") return object.metadata.namespace ?? "";
  return kind.selectableFields?.[field]?.(object) ?? "";
}

export function matchesFields(requirements: FieldRequirements, kind: Pick<Kind, "selectableFields">, object: KubeObject): boolean {
  return requirements.every(({ field, equals, value }) => (valueOf(field, kind, object) === value) === equals);
}

/** The one value that `field` must have, if the selector says so: lets a list become a get. */
export function requiredValue(requirements: FieldRequirements, field: string): string | undefined {
  return requirements.find((requirement) => requirement.field === field && requirement.equals)?.value;
}
