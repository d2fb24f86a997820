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
  return (text.match(/(?:\\.|[^,\\])+/gs) ?? []).filter((term) => term !== "");
}

const TERM = /^((?:\\.|[^=!\\])*?)(!=|==|=)(.*)$/s;

const unescape = (text: string): string => text.replaceAll(/\\([\\,=])/g, "$1");

/** Throws StatusError `BadRequest` for text that cannot be read and for fields that the kind does not offer. */
export function parseFieldSelector(text: string, kind: Pick<Kind, "selectableFields" | "scope">): FieldRequirements {
  return termsOf(text).map((term) => {
    const [, field, operator, value] = TERM.exec(term) ?? [];
    if (field === undefined || value === undefined) throw badRequest(`invalid selector: '${text}'; can't understand '${term}'`);
    const known = field === "metadata.name" || field === "metadata.namespace" || Object.hasOwn(kind.selectableFields ?? {}, field);
    if (!known) throw badRequest(`field label not supported: ${field}`);
    return { field, equals: operator !== "!=", value: unescape(value) };
  });
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
