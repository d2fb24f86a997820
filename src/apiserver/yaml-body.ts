// YAML of a body, read as Go reads it: the first document, with the types of YAML 1.1 that Go knows.
import { StatusError } from "#core";
import { lostFields, NumberLiteral, outlineOf, parseWithLiterals } from "#schema";
import { isMap, isScalar, isSeq, LineCounter, parseAllDocuments, type Tags } from "yaml";

/** An anchor may be used so often, counted with what is below: more is an attack. */
const ALIASES_MAX = 100;
/** More keys that stand twice are not told. */
const PROBLEMS_MAX = 16;
/** YAML takes about a second a megabyte, in which nothing else is done; JSON in a body of YAML has no other limit than JSON. */
const LENGTH_MAX = 256 << 10;
/** Lists and maps may lie so deep in each other. */
const DEPTH_MAX = 500;

/** What is wrong with a text, in Go's words as far as there are such. */
export class YamlError extends Error {}

export interface YamlBody {
  readonly value: unknown;
  /** Keys that stand twice, with their lines. */
  readonly duplicates: readonly string[];
}

/** Go reads no times of day as numbers, and leaves dates as texts. */
function goTags(tags: Tags): Tags {
  return tags.filter((tag) => typeof tag === "string" || (tag.tag !== "tag:yaml.org,2002:timestamp" && tag.format !== "TIME"));
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

/** Whether brackets, or what begins a line, nest too deep for a reader that recurses. */
function isTooDeep(text: string): boolean {
  let depth = 0;
  for (const [token] of text.matchAll(/[[\]{}]|^[ \t?-]+/gm)) {
    if (token === "[" || token === "{") depth++;
    else if (token === "]" || token === "}") depth--;
    // A level takes at least a column.
    else if (token.length > 2 * DEPTH_MAX) return true;
    if (depth > DEPTH_MAX) return true;
  }
  return false;
}

/** Integers come as bigints: the small ones are numbers, of others the digits are kept. */
function withNumbers(value: unknown): unknown {
  if (typeof value === "bigint") {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : new NumberLiteral(String(value));
  }
  if (Array.isArray(value)) return value.map(withNumbers);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, withNumbers(member)]));
}

/** What the library says, and what Go says of the same: the most usual mistakes. */
const WORDS: readonly (readonly [RegExp, (text: string) => string])[] = [
  [/^Flow sequence .* end with a \]/, (text) => (/[[,]\s*$/.test(text) ? "did not find expected node content" : "did not find expected ',' or ']'")],
  [/^Flow map .* end with a \}/, (text) => (/[,]\s*$/.test(text) ? "did not find expected node content" : "did not find expected ',' or '}'")],
  [/^All mapping items must start at the same column/, () => "did not find expected key"],
  [/^Tabs are not allowed as indentation/, () => "found character that cannot start any token"],
  [/^(?:Nested mappings are not allowed|Implicit keys need to be on a single line)/, () => "mapping values are not allowed in this context"],
];

function wordsOf(message: string, line: number, text: string): string {
  const [, anchor] = /Unresolved alias \(the anchor must be set before the alias\): (.*)/.exec(message) ?? [];
  if (anchor !== undefined) return `yaml: unknown anchor '${anchor}' referenced`;
  const known = WORDS.find(([pattern]) => pattern.test(message))?.[1](text);
  return `yaml: line ${line}: ${known ?? message.replace(/ at line \d+[\s\S]*/, "")}`;
}

/** JSON is YAML, too, and read in a hundredth of the time. Undefined for what is none, or tells something twice. */
function readAsJson(text: string): YamlBody | undefined {
  if (!/^\s*[{[]/.test(text)) return undefined;
  const outline = outlineOf(text, DEPTH_MAX);
  if (outline.tooDeep !== undefined) return undefined;
  try {
    const value = parseWithLiterals(text);
    return lostFields(text, outline, value).length === 0 ? { value, duplicates: [] } : undefined;
  } catch {
    return undefined;
  }
}

/** Throws `YamlError`, and 413 for a text that would take too long. Of several documents only the first is read. */
export function readYaml(text: string): YamlBody {
  const json = readAsJson(text);
  if (json !== undefined) return json;
  if (text.length > LENGTH_MAX) throw new StatusError("RequestEntityTooLarge", `Request entity too large: limit is ${LENGTH_MAX}`);
  if (isTooDeep(text)) throw new YamlError(`yaml: exceeded max depth of ${DEPTH_MAX}`);
  const lines = new LineCounter();
  const options = { version: "1.1", uniqueKeys: false, intAsBigInt: true, lineCounter: lines, prettyErrors: false, customTags: goTags } as const;
  try {
    const documents = parseAllDocuments(text, options);
    const document = Array.isArray(documents) ? documents[0] : undefined;
    if (document === undefined) return { value: null, duplicates: [] };
    const [wrong] = document.errors;
    if (wrong !== undefined) throw new YamlError(wordsOf(wrong.message, lines.linePos(wrong.pos[0]).line, text));
    return { value: withNumbers(document.toJS({ maxAliasCount: ALIASES_MAX })), duplicates: duplicateKeys(document.contents, lines) };
  } catch (cause) {
    if (cause instanceof YamlError) throw cause;
    if (cause instanceof RangeError) throw new YamlError(`yaml: exceeded max depth of ${DEPTH_MAX}`, { cause });
    const message = (cause as Error).message;
    throw new YamlError(message.includes("Excessive alias count") ? "yaml: document contains excessive aliasing" : wordsOf(message, 1, text), { cause });
  }
}
