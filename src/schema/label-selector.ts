// Label selectors: the text form of queries and the object form of specs, both as lists of requirements.
import { badRequest } from "#core";
import { names } from "./names.ts";

type Operator = "In" | "NotIn" | "Exists" | "DoesNotExist" | "Gt" | "Lt";

/** One condition on one label. */
export interface Requirement {
  readonly key: string;
  readonly operator: Operator;
  readonly values: readonly string[];
}

/** All requirements have to hold; none match everything. */
export type LabelRequirements = readonly Requirement[];

type Labels = Readonly<Record<string, string>> | undefined;

const TOKENS = /\s*(==|!=|=|!|\(|\)|,|<|>|[^\s=!(),<>]+)/gy;
const SYMBOLS = new Set(["==", "!=", "=", "!", "(", ")", ",", "<", ">"]);
const EXPECTED_OPERATOR = "in, notin, =, ==, !=, gt, lt";

class Tokens {
  readonly #tokens: readonly string[];
  #at = 0;

  constructor(text: string) {
    this.#tokens = [...text.matchAll(TOKENS)].map((match) => match[1] ?? "");
  }

  /** "" at the end. */
  peek(): string {
    return this.#tokens[this.#at] ?? "";
  }

  next(): string {
    const token = this.peek();
    this.#at++;
    return token;
  }
}

const isWord = (token: string): boolean => token !== "" && !SYMBOLS.has(token);

function refuse(found: string, expected: string): never {
  throw badRequest(`unable to parse requirement: found '${found}', expected: ${expected}`);
}

function parseValues(tokens: Tokens): string[] {
  if (tokens.peek() !== "(") throw badRequest(`unable to parse requirement: found '${tokens.peek()}' expected: '('`);
  tokens.next();
  const values: string[] = [];
  for (;;) {
    values.push(isWord(tokens.peek()) ? tokens.next() : "");
    const token = tokens.next();
    if (token === ")") return [...new Set(values)].sort();
    if (token !== ",") refuse(token, "',' or ')'");
  }
}

const BY_TOKEN: ReadonlyMap<string, Operator> = new Map([
  ["=", "In"],
  ["==", "In"],
  ["!=", "NotIn"],
  ["in", "In"],
  ["notin", "NotIn"],
  [">", "Gt"],
  ["gt", "Gt"],
  ["<", "Lt"],
  ["lt", "Lt"],
]);

function parseRequirement(tokens: Tokens): Requirement {
  const negated = tokens.peek() === "!";
  if (negated) tokens.next();
  const key = tokens.next();
  if (!isWord(key)) refuse(key, "identifier");
  if (negated) return { key, operator: "DoesNotExist", values: [] };
  if (tokens.peek() === "" || tokens.peek() === ",") return { key, operator: "Exists", values: [] };
  const word = tokens.next();
  const operator = BY_TOKEN.get(word);
  if (operator === undefined) refuse(word, EXPECTED_OPERATOR);
  if (word === "in" || word === "notin") return { key, operator, values: parseValues(tokens) };
  const value = isWord(tokens.peek()) ? tokens.next() : "";
  if (value === "" && tokens.peek() !== "" && tokens.peek() !== ",") refuse(tokens.peek(), "identifier");
  return { key, operator, values: [value] };
}

function checkRequirement({ key, values }: Requirement): void {
  const wrongKey = names.qualifiedName(key)[0];
  if (wrongKey !== undefined) throw badRequest(`unable to parse requirement: <nil>: Invalid value: ${JSON.stringify(key)}: ${wrongKey}`);
  for (const value of values) {
    const wrong = names.labelValue(value)[0];
    if (wrong === undefined) continue;
    throw badRequest(`unable to parse requirement: values[${values.indexOf(value)}][${key}]: Invalid value: ${JSON.stringify(value)}: ${wrong}`);
  }
}

/** Parses `a=b,c!=d,e in (f,g),h,!i`; "" matches everything. Throws StatusError `BadRequest` with Kubernetes' text. */
export function parseLabelSelector(text: string): LabelRequirements {
  const tokens = new Tokens(text);
  const requirements: Requirement[] = [];
  if (text.trim() === "") return requirements;
  for (;;) {
    const first = tokens.peek();
    if (first !== "!" && !isWord(first)) {
      if (first === "=" || first === "==" || first === "!=" || first === ",") refuse(first, "identifier");
      throw badRequest(`found '${first}', expected: !, identifier, or 'end of string'`);
    }
    const requirement = parseRequirement(tokens);
    checkRequirement(requirement);
    requirements.push(requirement);
    const separator = tokens.next();
    if (separator === "") return requirements;
    if (separator !== ",") throw badRequest(`found '${separator}', expected: ',' or 'end of string'`);
    if (tokens.peek() !== "!" && !isWord(tokens.peek())) throw badRequest(`found '${tokens.peek()}', expected: identifier after ','`);
  }
}

const INTEGER = /^[+-]?\d+$/;

function holds({ key, operator, values }: Requirement, labels: Labels): boolean {
  const value = labels === undefined || !Object.hasOwn(labels, key) ? undefined : labels[key];
  switch (operator) {
    case "In":
      return value !== undefined && values.includes(value);
    case "NotIn":
      return value === undefined || !values.includes(value);
    case "Exists":
      return value !== undefined;
    case "DoesNotExist":
      return value === undefined;
    case "Gt":
    case "Lt": {
      const [limit = ""] = values;
      if (value === undefined || !INTEGER.test(value) || !INTEGER.test(limit)) return false;
      return operator === "Gt" ? BigInt(value) > BigInt(limit) : BigInt(value) < BigInt(limit);
    }
  }
}

export function matchesLabels(requirements: LabelRequirements, labels: Labels): boolean {
  return requirements.every((requirement) => holds(requirement, labels));
}

/** `metav1.LabelSelector` as it stands in specs. */
export interface LabelSelectorObject {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly { readonly key: string; readonly operator: string; readonly values?: readonly string[] }[];
}

const OBJECT_OPERATORS: ReadonlySet<string> = new Set(["In", "NotIn", "Exists", "DoesNotExist"]);

/** The requirements of a selector object; undefined for an absent selector, which matches nothing, or an unknown operator. */
export function requirementsOf(selector: LabelSelectorObject | undefined): LabelRequirements | undefined {
  if (selector === undefined) return undefined;
  const requirements: Requirement[] = Object.entries(selector.matchLabels ?? {}).map(([key, value]) => ({ key, operator: "In", values: [value] }));
  for (const { key, operator, values = [] } of selector.matchExpressions ?? []) {
    if (!OBJECT_OPERATORS.has(operator)) return undefined;
    requirements.push({ key, operator: operator as Operator, values });
  }
  return requirements;
}

/** Whether a selector object matches; an absent one matches nothing, an empty one everything. */
export function selectorMatches(selector: LabelSelectorObject | undefined, labels: Labels): boolean {
  const requirements = requirementsOf(selector);
  return requirements !== undefined && matchesLabels(requirements, labels);
}

function textOf({ key, operator, values }: Requirement): string {
  switch (operator) {
    case "In":
      return values.length === 1 ? `${key}=${values[0] ?? ""}` : `${key} in (${[...values].sort().join(",")})`;
    case "NotIn":
      return values.length === 1 ? `${key}!=${values[0] ?? ""}` : `${key} notin (${[...values].sort().join(",")})`;
    case "Exists":
      return key;
    case "DoesNotExist":
      return `!${key}`;
    case "Gt":
      return `${key}>${values[0] ?? ""}`;
    case "Lt":
      return `${key}<${values[0] ?? ""}`;
  }
}

/** The text form, sorted by key: what `Scale.status.selector` and table cells show. */
export function formatLabelSelector(requirements: LabelRequirements): string {
  const sorted = [...requirements].sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  return sorted.map(textOf).join(",");
}
