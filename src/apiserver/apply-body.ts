// The body of a server-side apply: YAML, of which JSON is a part.
import { badRequest } from "#core";
import { withExactNumbers } from "#schema";
import { isRecord } from "./body.ts";
import { readYaml, YamlError } from "./yaml-body.ts";

export interface ApplyBody {
  readonly config: Readonly<Record<string, unknown>>;
  /** Keys that stand twice, with their lines. */
  readonly problems: readonly string[];
}

function fromYaml(text: string): { readonly value: unknown; readonly problems: readonly string[] } {
  try {
    const { value, duplicates } = readYaml(text);
    return { value, problems: duplicates };
  } catch (cause) {
    throw cause instanceof YamlError ? refused(`error converting YAML to JSON: ${cause.message}`) : cause;
  }
}

function refused(why: string): Error {
  return badRequest(`error decoding YAML: ${why}`);
}

/** Throws BadRequest for what cannot be read or is no object. */
export function readApply(text: string): ApplyBody {
  const { value, problems } = fromYaml(text);
  if (value === null || value === undefined) return { config: {}, problems };
  if (!isRecord(value)) {
    const what = Array.isArray(value) ? "array" : typeof value === "boolean" ? "bool" : typeof value;
    throw refused(`error unmarshaling JSON: while decoding JSON: json: cannot unmarshal ${what} into Go value of type map[string]interface {}`);
  }
  return { config: withExactNumbers(value) as Record<string, unknown>, problems };
}
