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

const TOKENS = /[ \t\r\n]*(==|!=|=|!|\(|\)|,|<|>|[^ \t\r\n=!(),<>]+)/gy;
const SYMBOLS = new Set(["==", "!=", "=", "!", "(", ")", ",", "<", ">"]);
const EXPECTED_OPERATOR = "in, notin, =, ==, !=, gt, lt";

class Tokens {
  readonly #tokens: readonly string[];
  #at = 0;

  constructor(text: string) {
    // A zero byte ends the text.
    const [read = ""] = text.split("\0", 1);
    this.#tokens = [...read.matchAll(TOKENS)].map((match) => match[1] ?? "");
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

function refuse(why: string): never {
  throw badRequest(`unable to parse requirement: ${why}`);
}

function parseValues(tokens: Tokens): string[] {
  const open = tokens.next();
  if (open !== "(") refuse(`found '${open}' expected: '('`);
  if (!isWord(tokens.peek()) && tokens.peek() !== "," && tokens.peek() !== ")") refuse(`found '${tokens.peek()}', expected: ',', ')' or identifier`);
  const values: string[] = [];
  for (;;) {
    values.push(isWord(tokens.peek()) ? tokens.next() : "");
    const token = tokens.next();
    if (token === ")") return [...new Set(values)].sort();
    if (token !== ",") refuse(values.at(-1) === "" ? `found '${token}', expected: ',', or identifier` : `found '${token}', expected: ',' or ')'`);
  }
}

const BY_TOKEN: ReadonlyMap<string, Operator> = new Map([
  ["=", "In"],
  ["==", "In"],
  ["!=", "NotIn"],
  ["in", "In"],
  ["notin", "NotIn"],
  [">", "Gt"],
  ["<", "Lt"],
]);

function parseRequirement(tokens: Tokens): Requirement {
  const negated = tokens.peek() === "!";
  if (negated) tokens.next();
  const key = tokens.next();
  if (!isWord(key)) refuse(`found '${key}', expected: identifier`);
  const wrong = names.qualifiedName(key);
  if (wrong.length > 0) refuse(`<nil>: Invalid value: ${JSON.stringify(key)}: ${wrong.join("; ")}`);
  if (negated) return { key, operator: "DoesNotExist", values: [] };
  if (tokens.peek() === "" || tokens.peek() === ",") return { key, operator: "Exists", values: [] };
  const word = tokens.next();
  const operator = BY_TOKEN.get(word) ?? refuse(`found '${word}', expected: ${EXPECTED_OPERATOR}`);
  if (word === "in" || word === "notin") return { key, operator, values: parseValues(tokens) };
  if (tokens.peek() === "" || tokens.peek() === ",") return { key, operator, values: [""] };
  const value = tokens.next();
  if (!isWord(value)) refuse(`found '${value}', expected: identifier`);
  return { key, operator, values: [value] };
}

function checkValues({ key, operator, values }: Requirement): void {
  const compares = operator === "Gt" || operator === "Lt";
  const noNumbers = values.flatMap((value, at) =>
    compares && !isInteger(value) ? [`values[${at}]: Invalid value: ${JSON.stringify(value)}: for 'Gt', 'Lt' operators, the value must be an integer`] : [],
  );
  const noLabels = values.flatMap((value, at) => {
    const wrong = names.labelValue(value);
    return wrong.length === 0 ? [] : [`values[${at}][${key}]: Invalid value: ${JSON.stringify(value)}: ${wrong.join("; ")}`];
  });
  const wrong = [...new Set([...noNumbers, ...noLabels])];
  if (wrong.length > 0) refuse(wrong.length === 1 ? (wrong[0] ?? "") : `[${wrong.join(", ")}]`);
}

/** Parses `a=b,c!=d,e in (f,g),h,!i`; "" matches everything. Throws StatusError `BadRequest` with Kubernetes' text. */
export function parseLabelSelector(text: string): LabelRequirements {
  const tokens = new Tokens(text);
  const requirements: Requirement[] = [];
  if (tokens.peek() === "") return requirements;
  for (;;) {
    const first = tokens.peek();
    if (first !== "!" && !isWord(first)) throw badRequest(`found '${first}', expected: !, identifier, or 'end of string'`);
    const requirement = parseRequirement(tokens);
    checkValues(requirement);
    requirements.push(requirement);
    const separator = tokens.next();
    if (separator === "") return requirements;
    if (separator !== ",") throw badRequest(`found '${separator}', expected: ',' or 'end of string'`);
    if (tokens.peek() !== "!" && !isWord(tokens.peek())) throw badRequest(`found '${tokens.peek()}', expected: identifier after ','`);
  }
}

const INT64_MAX = 2n ** 63n - 1n;

function isInteger(text: string): boolean {
  if (!/^[+-]?\d+$/.test(text)) return false;
  const value = BigInt(text.replace("+", ""));
  return value <= INT64_MAX && value >= -INT64_MAX - 1n;
}

type Holds = (value: string | undefined) => boolean;

/** From this many values on, a set is faster. */
const SET_FROM = 8;

function membershipOf(values: readonly string[]): (value: string) => boolean {
  if (values.length < SET_FROM) return (value) => values.includes(value);
  const set = new Set(values);
  return (value) => set.has(value);
}

function comparison(limit: string, holds: (is: bigint, than: bigint) => boolean): Holds {
  const big = (text: string): bigint => BigInt(text.replace("+", ""));
  return (value) => value !== undefined && isInteger(value) && isInteger(limit) && holds(big(value), big(limit));
}

function holderOf({ operator, values }: Requirement): Holds {
  const isMember = membershipOf(values);
  switch (operator) {
    case "In":
      return (value) => value !== undefined && isMember(value);
    case "NotIn":
      return (value) => value === undefined || !isMember(value);
    case "Exists":
      return (value) => value !== undefined;
    case "DoesNotExist":
      return (value) => value === undefined;
    case "Gt":
      return comparison(values[0] ?? "", (is, than) => is > than);
    case "Lt":
      return comparison(values[0] ?? "", (is, than) => is < than);
  }
}

/** The requirements as one test of an object's labels, for many objects. */
export function labelMatcher(requirements: LabelRequirements): (labels: Labels) => boolean {
  const tests = requirements.map((requirement) => ({ key: requirement.key, holds: holderOf(requirement) }));
  return (labels) => tests.every(({ key, holds }) => holds(labels === undefined || !Object.hasOwn(labels, key) ? undefined : labels[key]));
}

export function matchesLabels(requirements: LabelRequirements, labels: Labels): boolean {
  return labelMatcher(requirements)(labels);
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
