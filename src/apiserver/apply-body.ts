// The body of a server-side apply: YAML, of which JSON is a part.
import { badRequest } from "#core";
import { duplicateFields } from "#schema";
import { isMap, isScalar, isSeq, LineCounter, parseDocument, type Tags } from "yaml";
import { isRecord } from "./body.ts";

/** An anchor may be used so often, counted with what is below: more is an attack. */
const ALIASES_MAX = 100;

/** More keys that stand twice are not told. */
const PROBLEMS_MAX = 16;

export interface ApplyBody {
  readonly config: Readonly<Record<string, unknown>>;
  /** Keys that stand twice, with their lines. */
  readonly problems: readonly string[];
}

/** What lies below a key is told before the key itself. */
function duplicateKeys(node: unknown, lines: LineCounter, problems: string[] = []): string[] {
  if (isSeq(node)) for (const item of node.items) duplicateKeys(item, lines, problems);
  if (!isMap(node)) return problems;
  const seen = new Set<unknown>();
  for (const { key, value } of node.items) {
    duplicateKeys(value, lines, problems);
    const name = isScalar(key) ? key.value : undefined;
    const start = isScalar(key) ? key.range?.[0] : undefined;
    if (seen.has(name) && problems.length < PROBLEMS_MAX) {
      problems.push(`line ${start === undefined ? 1 : lines.linePos(start).line}: key ${JSON.stringify(name)} already set in map`);
    }
    seen.add(name);
  }
  return problems;
}

/** JSON has no times: dates, and numbers such as `12:30:45`, stay the texts that they are. */
function withoutTimes(tags: Tags): Tags {
  return tags.filter((tag) => typeof tag === "string" || (tag.tag !== "tag:yaml.org,2002:timestamp" && (tag as { format?: string }).format !== "TIME"));
}

function fromYaml(text: string): { readonly value: unknown; readonly problems: readonly string[] } {
  const lines = new LineCounter();
  const document = parseDocument(text, { version: "1.1", uniqueKeys: false, lineCounter: lines, prettyErrors: false, customTags: withoutTimes });
  const [wrong] = document.errors;
  if (wrong !== undefined) throw refused(`error converting YAML to JSON: yaml: line ${lines.linePos(wrong.pos[0]).line}: ${wrong.message}`);
  try {
    return { value: document.toJS({ maxAliasCount: ALIASES_MAX }), problems: duplicateKeys(document.contents, lines) };
  } catch (cause) {
    throw refused(`error converting YAML to JSON: yaml: ${(cause as Error).message}`);
  }
}

function refused(why: string): Error {
  return badRequest(`error decoding YAML: ${why}`);
}

/** JSON without keys that stand twice needs no reader of YAML. */
function fromJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** Throws BadRequest for what cannot be read or is no object. */
export function readApply(text: string): ApplyBody {
  const json = /^\s*\{/.test(text) ? fromJson(text) : undefined;
  const { value, problems } = json !== undefined && duplicateFields(text).length === 0 ? { value: json, problems: [] } : fromYaml(text);
  if (value === null || value === undefined) return { config: {}, problems };
  if (!isRecord(value)) {
    const what = Array.isArray(value) ? "array" : typeof value === "boolean" ? "bool" : typeof value;
    throw refused(`error unmarshaling JSON: while decoding JSON: json: cannot unmarshal ${what} into Go value of type map[string]interface {}`);
  }
  return { config: value, problems };
}
