// Runs the rules of a schema over an object, within a budget; what was wrong before and stays as it was is tolerated.
import { Optional } from "@marcbachmann/cel-js";
import { isObject } from "../compile-nodes.ts";
import type { CheckRules } from "../engines.ts";
import { equal } from "../equal.ts";
import { fieldError, type FieldError } from "../field-error.ts";
import type { Node, ValidationRule } from "../node.ts";
import { BudgetExceeded, Meter, OBJECT_BUDGET } from "./budget.ts";
import { compileRules, type CompiledRule, type RuleSet } from "./compile.ts";

const MESSAGE_BYTES_MAX = 5 << 10;

/** Rules at the place of a schema node, and those below it. */
interface Place {
  readonly node: Node;
  readonly isResource: boolean;
  readonly own: RuleSet | undefined;
  readonly nested: readonly Place[];
  readonly items: Place | undefined;
  readonly properties: ReadonlyMap<string, Place>;
  readonly others: Place | undefined;
}

/** Rules inside `allOf` speak of the values of the node around it. */
function narrowed(node: Node, nested: Node): Node {
  const rules = nested["x-kubernetes-validations"];
  const { "x-kubernetes-validations": _, allOf: __, ...wide } = node;
  return { ...wide, ...(rules === undefined ? {} : { "x-kubernetes-validations": rules }) };
}

function placeOf(node: Node, isResource: boolean, meter: Meter): Place | undefined {
  const isEmbedded = (child: Node): boolean => child["x-kubernetes-embedded-resource"] === true;
  const below = (child: Node | undefined): Place | undefined => (child === undefined ? undefined : placeOf(child, isEmbedded(child), meter));
  const properties = new Map(
    Object.entries(node.properties ?? {}).flatMap(([name, child]) => {
      const place = below(child);
      return place === undefined ? [] : [[name, place] as const];
    }),
  );
  const hasRules = (node["x-kubernetes-validations"] ?? []).length > 0;
  const own = hasRules ? compileRules(node, isResource, meter) : undefined;
  const nested = (node.allOf ?? []).flatMap((one) => {
    if ((one["x-kubernetes-validations"] ?? []).length === 0) return [];
    const wide = narrowed(node, one);
    return [{ node: wide, isResource, own: compileRules(wide, isResource, meter), nested: [], items: undefined, properties: new Map(), others: undefined }];
  });
  const [items, others] = [below(node.items), below(node.additionalProperties)];
  if (own === undefined && nested.length === 0 && items === undefined && others === undefined && properties.size === 0) return undefined;
  return { node, isResource, own, nested, items, properties, others };
}

function ruleText({ rule, message = "" }: ValidationRule): string {
  return (message === "" ? rule : message).trim();
}

function byReason({ reason }: ValidationRule, path: string, ...[type, detail]: [string, string]): FieldError {
  if (reason === "FieldValueForbidden") return fieldError.forbidden(path, detail);
  if (reason === "FieldValueRequired") return fieldError.required(path, detail);
  return reason === "FieldValueDuplicate" ? fieldError.duplicate(path, type) : fieldError.invalid(path, type, detail);
}

/** cel-go's words for what goes wrong while a rule runs. */
function runtimeWords(error: unknown): string {
  const { summary = "", message = String(error) } = error as { summary?: string; message?: string };
  const text = summary === "" ? message : summary;
  const outside = /index out of bounds, index (-?\d+)/.exec(text)?.[1];
  if (outside !== undefined) return `index out of bounds: ${outside}`;
  return text.replace(/^No such key/, "no such key");
}

/** Asks the rules of one object. */
class Asking {
  readonly errors: FieldError[] = [];
  readonly #meter: Meter;
  readonly #warn: (text: string) => void;
  #budget = OBJECT_BUDGET;

  constructor(meter: Meter, warn: (text: string) => void) {
    this.#meter = meter;
    this.#warn = warn;
  }

  /** False once nothing more is asked: the budget is spent. */
  place(place: Place, value: unknown, old: unknown, at: { readonly path: string; readonly isSame: boolean }): boolean {
    if (value === null || value === undefined) return true;
    if (place.own !== undefined && !this.#own(place, place.own, value, old, at)) return false;
    if (!place.nested.every((nested) => nested.own === undefined || this.#own(nested, nested.own, value, old, at))) return false;
    if (Array.isArray(value)) return this.#list(place, value, old, at.path);
    return isObject(value) ? this.#object(place, value, old, at.path) : true;
  }

  #list({ node, items }: Place, list: readonly unknown[], old: unknown, path: string): boolean {
    if (items === undefined) return true;
    const keys = node["x-kubernetes-list-type"] === "map" ? (node["x-kubernetes-list-map-keys"] ?? []) : [];
    const keyOf = (item: unknown): string => JSON.stringify(isObject(item) ? keys.map((key) => item[key] ?? null) : null);
    const before = new Map(keys.length === 0 || !Array.isArray(old) ? [] : old.map((item) => [keyOf(item), item as unknown]));
    return list.every((item, index) => {
      const past = before.get(keyOf(item));
      return this.place(items, item, past, { path: `${path}[${index}]`, isSame: past !== undefined && equal(item, past) });
    });
  }

  #object({ node, properties, others }: Place, object: Readonly<Record<string, unknown>>, old: unknown, path: string): boolean {
    const before = isObject(old) ? old : {};
    return Object.entries(object).every(([name, member]) => {
      const place = properties.get(name) ?? (node.properties?.[name] === undefined ? others : undefined);
      if (place === undefined) return true;
      const at = properties.has(name) ? (path === "" ? name : `${path}.${name}`) : `${path}[${name}]`;
      return this.place(place, member, before[name], { path: at, isSame: before[name] !== undefined && equal(member, before[name]) });
    });
  }

  #own({ node }: Place, { rules, toCel }: RuleSet, value: unknown, old: unknown, at: { readonly path: string; readonly isSame: boolean }): boolean {
    const type = node.type ?? "";
    const path = at.path === "" ? "<nil>" : at.path;
    const self = toCel(value);
    const oldSelf = old === undefined || old === null ? undefined : toCel(old);
    for (const compiled of rules) {
      const { rule, test } = compiled;
      if (test.run === undefined) {
        this.errors.push(fieldError.invalid(path, type, `rule compile error: ${test.problem ?? ""}`));
        continue;
      }
      if (test.usesOldSelf && oldSelf === undefined && rule.optionalOldSelf !== true) continue;
      const past = rule.optionalOldSelf === true ? (oldSelf === undefined ? Optional.none() : Optional.of(oldSelf)) : oldSelf;
      const outcome = this.#run(test.run, { self, oldSelf: past ?? null });
      if (outcome === "spent") {
        const detail = "validation failed due to running out of cost budget, no further validation rules will be run";
        this.errors.push(fieldError.invalid(path, type, detail));
        return false;
      }
      if ("error" in outcome) {
        const words = runtimeWords(outcome.error);
        const isCall = outcome.error instanceof BudgetExceeded;
        const detail = isCall
          ? `'${words}': no further validation rules will be run due to call cost exceeds limit for rule: ${ruleText(rule)}`
          : words.startsWith("no such overload")
            ? `'${words}': call arguments did not match a supported operator, function or macro signature for rule: ${ruleText(rule)}`
            : `${words} evaluating rule: ${ruleText(rule)}`;
        this.errors.push(fieldError.invalid(path, type, detail));
        if (isCall) return false;
        continue;
      }
      if (outcome.value === true) continue;
      const field = (rule.fieldPath ?? "") === "" ? path : at.path === "" ? (rule.fieldPath ?? "").replace(/^\./, "") : `${at.path}${rule.fieldPath ?? ""}`;
      const error = byReason(rule, field, type, this.#message(compiled, { self, oldSelf: past ?? null }));
      if (!test.usesOldSelf && at.isSame) this.#warn(`${error.field}: ${error.message}`);
      else this.errors.push(error);
    }
    return true;
  }

  #run(
    run: (variables: Readonly<Record<string, unknown>>) => unknown,
    variables: Readonly<Record<string, unknown>>,
  ): "spent" | { value: unknown } | { error: unknown } {
    if (this.#budget <= 0) return "spent";
    this.#meter.start(this.#budget);
    try {
      return { value: run(variables) };
    } catch (error) {
      return { error };
    } finally {
      this.#budget -= this.#meter.spent;
    }
  }

  #message({ rule, message }: CompiledRule, variables: Readonly<Record<string, unknown>>): string {
    const usual = (rule.message ?? "") === "" ? `failed rule: ${ruleText(rule)}` : ruleText(rule);
    if (message?.run === undefined) return usual;
    const outcome = this.#run(message.run, variables);
    if (outcome === "spent" || "error" in outcome || typeof outcome.value !== "string") return usual;
    const text = outcome.value.trim();
    return text === "" || text.includes("\n") || Buffer.byteLength(text) > MESSAGE_BYTES_MAX ? usual : text;
  }
}

/** Undefined for a schema without rules. Rules are compiled once, and run one after the other: they never wait. */
export function rulesOf(root: Node): CheckRules | undefined {
  const meter = new Meter();
  const place = placeOf(root, true, meter);
  if (place === undefined) return undefined;
  return (object, old, warn) => {
    const asking = new Asking(meter, warn);
    asking.place(place, object, old, { path: "", isSame: old !== undefined && equal(object, old) });
    return asking.errors;
  };
}
