// The attributes of an event that a person wrote down: the JSON format of CloudEvents, or `{"attributes": {…}}`; as JSON or YAML. Pure.
import { parse } from "yaml";
import type { Value } from "#cesql";

export type EventAttributes = ReadonlyMap<string, Value>;

/** Of the simplest valid event; they also stand in for what an event does not have. */
export const SAMPLE_ATTRIBUTES: EventAttributes = new Map([
  ["specversion", "1.0"],
  ["id", "1"],
  ["source", "/sample"],
  ["type", "dev.eider.sample"],
]);

/** Members that are data, not attributes. */
const DATA: ReadonlySet<string> = new Set(["data", "data_base64"]);
const INTEGER_BITS = 32;

export interface EventFile {
  readonly attributes: EventAttributes;
  /** Required ones that the sample's stand in for. */
  readonly filled: readonly string[];
}

export function parseEventFile(text: string): EventFile | { readonly error: string } {
  const document = documentOf(text);
  if (document instanceof Error) return { error: `neither JSON nor YAML: ${document.message.split("\n")[0]}` };
  if (!isObject(document)) return { error: "no event: an object with the event's attributes is wanted" };
  const members = isObject(document["attributes"]) ? document["attributes"] : document;
  const attributes = new Map<string, Value>();
  for (const [name, value] of Object.entries(members)) {
    if (DATA.has(name) || value === null) continue;
    if (!/^[a-z0-9]+$/.test(name)) return { error: `attribute ${JSON.stringify(name)}: names consist of lower-case letters and digits` };
    if (!isValue(value))
      return { error: `attribute "${name}" is ${JSON.stringify(value)}: a string, an integer of ${INTEGER_BITS} bits or a boolean is wanted` };
    attributes.set(name, value);
  }
  const filled = [...SAMPLE_ATTRIBUTES.keys()].filter((name) => !attributes.has(name));
  return { attributes: new Map([...SAMPLE_ATTRIBUTES, ...attributes]), filled };
}

function documentOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    try {
      return parse(text);
    } catch (cause) {
      return cause;
    }
  }
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null && !Array.isArray(value);

const isValue = (value: unknown): value is Value =>
  typeof value === "string" || typeof value === "boolean" || (typeof value === "number" && value === (value | 0));
