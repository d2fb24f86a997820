// What changed of something immutable, in the words of Go's field paths.
import { equal, goText } from "#schema";

type Fields = Readonly<Record<string, unknown>>;

/** Go's spelling of fields that are not just the JSON name with a capital. */
const GO_NAMES: Readonly<Record<string, string>> = { apiVersion: "APIVersion", uri: "URI", uid: "UID" };
/** The order of Go's struct fields; what is not listed follows in the order of names. */
const ORDER: readonly string[] = ["kind", "namespace", "name", "apiVersion", "group", "address", "ref", "uri"];
/** Structs whose type is embedded: its fields are named after it. */
const EMBEDDED: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  ChannelTemplate: { apiVersion: "TypeMeta", kind: "TypeMeta" },
  "{v1.ChannelSpec}": { delivery: "ChannelableSpec" },
};

const isFields = (value: unknown): value is Fields => typeof value === "object" && value !== null && !Array.isArray(value);
const isReference = (value: Fields): boolean => typeof value["name"] === "string" && typeof value["kind"] === "string";
const rank = (key: string): number => (ORDER.includes(key) ? ORDER.indexOf(key) : ORDER.length);
const text = (value: unknown): string => (typeof value === "string" ? value : goText(value));

/** A struct behind a pointer as Go prints it; references have a text of their own. */
function structText(value: unknown): string {
  if (!isFields(value) || !isReference(value)) return goText(value);
  const of = (key: string): string => text(value[key] ?? "");
  return `Kind = ${of("kind")}, Namespace = ${of("namespace")}, Name = ${of("name")}, APIVersion = ${of("apiVersion")}, Group = ${of("group")}, Address = ${of("address")}`;
}

function block(path: string, before: string, after: string): string {
  return `${path}:\n\t-: "${before}"\n\t+: "${after}"\n`;
}

function goPath(path: string, key: string): string {
  const parent = path.startsWith("{") && path.endsWith("}") ? path : path.slice(path.lastIndexOf(".") + 1);
  const struct = EMBEDDED[parent]?.[key];
  return `${path}${struct === undefined ? "" : `.${struct}`}.${GO_NAMES[key] ?? `${key.charAt(0).toUpperCase()}${key.slice(1)}`}`;
}

/** One block a change between two structs; `path` is how Go names the compared value. Empty when equal. */
export function diffSpecs(path: string, before: object, after: object): string {
  const [a, b] = [before as Fields, after as Fields];
  const keys = [...new Set([...Object.keys(a), ...Object.keys(b)])].sort((x, y) => rank(x) - rank(y) || (x < y ? -1 : 1));
  return keys
    .map((key) => {
      const [was, is] = [a[key], b[key]];
      if (equal(was ?? "", is ?? "")) return "";
      const here = goPath(path, key);
      if (isFields(was) && isFields(is)) return diffSpecs(here, was, is);
      if (isFields(was) || isFields(is)) return block(here, structText(was), structText(is));
      return block(here, text(was ?? ""), text(is ?? ""));
    })
    .join("");
}

/** As above for two texts. */
export function diffTexts(before: string, after: string): string {
  return before === after ? "" : block("{string}", before, after);
}
