// An event as `eider event send` makes it from its flags, in kn's words. Pure.
import { CliError } from "./exit.ts";

export interface DraftFlags {
  readonly type?: string;
  readonly source?: string;
  readonly id?: string;
  readonly subject?: string;
  readonly field?: readonly string[];
  readonly rawField?: readonly string[];
  readonly rawData?: string;
  readonly contentType?: string;
  readonly attribute?: readonly string[];
}

export interface Draft {
  /** Without specversion, id, source and type when nobody has said them. */
  readonly attributes: Readonly<Record<string, string>>;
  readonly data: string | undefined;
}

/** kn's. */
export const DEFAULT_TYPE = "dev.knative.cli.plugin.event.generic";
const DEPTH_MAX = 32;

/** Throws CliError `usage`. */
export function draftOf(flags: DraftFlags, defaults: { readonly id: string; readonly source: string }): Draft {
  const { field = [], rawField = [], rawData, contentType, attribute = [] } = flags;
  if (rawData !== undefined && field.length + rawField.length > 0)
    throw new CliError("usage", "--raw-data and --field exclude one another", { hint: "put the fields into the data" });
  const data = rawData ?? (field.length + rawField.length > 0 ? JSON.stringify(fieldsOf(field, rawField)) : undefined);
  const attributes: Record<string, string> = {
    id: flags.id ?? defaults.id,
    source: flags.source ?? defaults.source,
    type: flags.type ?? DEFAULT_TYPE,
    ...(flags.subject === undefined ? {} : { subject: flags.subject }),
    ...(data === undefined ? {} : { datacontenttype: contentType ?? "application/json" }),
  };
  for (const pair of attribute) {
    const [name, value] = pairOf("--attribute", pair);
    if (!/^[a-z0-9]+$/.test(name)) throw new CliError("usage", `--attribute ${name}: names consist of lower-case letters and digits`);
    attributes[name] = value;
  }
  return { attributes, data };
}

function fieldsOf(typed: readonly string[], raw: readonly string[]): object {
  const root: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
  for (const pair of typed) {
    const [path, value] = pairOf("--field", pair);
    put(root, path, typedValue(value));
  }
  for (const pair of raw) put(root, ...pairOf("--raw-field", pair));
  return root;
}

/** Numbers, booleans and null are themselves, everything else is a text; `--raw-field` makes texts of all. */
function typedValue(text: string): unknown {
  return /^(true|false|null|-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?)$/.test(text) ? JSON.parse(text) : text;
}

/** A path goes by points. */
function put(root: Record<string, unknown>, path: string, value: unknown): void {
  const names = path.split(".");
  const last = names.pop() ?? "";
  if (names.length > DEPTH_MAX) throw new CliError("usage", `field ${path}: at most ${DEPTH_MAX} levels`);
  let at = root;
  for (const name of names) {
    const next = at[name];
    if (next !== undefined && (typeof next !== "object" || next === null)) throw new CliError("usage", `field ${path}: ${name} has a value already`);
    at = (at[name] ??= Object.create(null)) as Record<string, unknown>;
  }
  at[last] = value;
}

function pairOf(flag: string, pair: string): [name: string, value: string] {
  const at = pair.indexOf("=");
  if (at < 1) throw new CliError("usage", `invalid value ${JSON.stringify(pair)} for ${flag}`, { hint: `${flag} NAME=VALUE` });
  return [pair.slice(0, at), pair.slice(at + 1)];
}

/** The event as a message in binary mode. */
export function messageOf({ attributes, data }: Draft): { readonly headers: Record<string, string>; readonly body: string } {
  const headers: Record<string, string> = { "ce-specversion": "1.0" };
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "datacontenttype") headers["content-type"] = value;
    else headers[`ce-${name}`] = headerValue(value);
  }
  return { headers, body: data ?? "" };
}

/** Everything but printable ASCII, and blanks, quotes and percent signs, is percent-encoded (HTTP binding, 3.1.3.2). */
function headerValue(text: string): string {
  const percent = (octet: number): string => `%${octet.toString(16).toUpperCase().padStart(2, "0")}`;
  return text.replaceAll(/[^!#$&-~]/gu, (character) => [...Buffer.from(character)].map(percent).join(""));
}
