// What is wrong with the rules of a new schema: texts that do not compile, old values that nobody can tell, costs.
import { fieldError, type FieldError } from "../field-error.ts";
import type { Node, ValidationRule } from "../node.ts";
import { Meter } from "./budget.ts";
import { compileRules } from "./compile.ts";
import { estimate, minimalSize, REQUEST_BYTES_MAX, sizesOf } from "./estimate.ts";

/** Estimated for one rule, and for all rules of a schema; as in Kubernetes. */
const RULE_COST_MAX = 10_000_000;
const SCHEMA_COST_MAX = 100_000_000;
/** Of the rules that make a schema too costly so many are named. */
const NAMED_MAX = 4;

interface Where {
  readonly path: string;
  readonly isResource: boolean;
  /** How often the values may occur in one object; undefined while nothing above bounds it. */
  readonly times: number | undefined;
  /** The part of the schema in which old and new values cannot be told to be the same one. */
  readonly lost: string | undefined;
}

interface Cost {
  readonly path: string;
  readonly cost: number;
}

/** As Kubernetes writes a rule in a complaint. */
function shown(rule: ValidationRule): object {
  const {
    rule: Rule,
    message: Message = "",
    messageExpression: MessageExpression = "",
    reason: Reason = null,
    fieldPath: FieldPath = "",
    optionalOldSelf: OptionalOldSelf = null,
  } = rule;
  return { Rule, Message, MessageExpression, Reason, FieldPath, OptionalOldSelf };
}

function exceeded(what: string, cost: number, limit: number): string {
  const factor = cost / limit;
  const times = factor > 100 ? "more than 100x" : factor < 1.5 ? `${factor.toFixed(6)}x` : `${factor.toFixed(1)}x`;
  const how = "try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared";
  return `${what} exceeds budget by factor of ${times} (${how})`;
}

class Problems {
  readonly errors: FieldError[] = [];
  readonly costs: Cost[] = [];
  readonly #unchanged: boolean;

  constructor(unchanged: boolean) {
    this.#unchanged = unchanged;
  }

  node(node: Node, where: Where): void {
    const { path, times } = where;
    const below = (child: Node, name: string, changes: Partial<Where>): void =>
      this.node(child, { ...where, path: `${path}.${name}`, isResource: child["x-kubernetes-embedded-resource"] === true, ...changes });
    const many = (max: number | undefined): number | undefined => (max === undefined || times === undefined ? undefined : times * max);
    if (node.additionalProperties !== undefined) below(node.additionalProperties, "additionalProperties", { times: many(node.maxProperties) });
    for (const [name, child] of Object.entries(node.properties ?? {})) below(child, `properties[${name}]`, {});
    if (node.items !== undefined) {
      const isMap = node["x-kubernetes-list-type"] === "map";
      below(node.items, "items", { times: many(node.maxItems), ...(isMap || where.lost !== undefined ? {} : { lost: path }) });
    }
    this.#rules(node, where);
  }

  #rules(node: Node, where: Where): void {
    const rules = node["x-kubernetes-validations"] ?? [];
    if (rules.length === 0) return;
    const at = `${where.path}.x-kubernetes-validations`;
    const set = compileRules(node, where.isResource, new Meter());
    if (set === undefined) {
      const why = "failed to retrieve type information for x-kubernetes-validations";
      this.errors.push({ type: "InternalError", field: at, message: `Internal error: internal error: ${why}` });
      return;
    }
    const times = where.times ?? Math.floor(REQUEST_BYTES_MAX / (minimalSize(node) + 1));
    for (const [index, { rule, test, message }] of set.rules.entries()) {
      const field = `${at}[${index}]`;
      this.#cost(test.ast, node, { field: `${field}.rule`, what: "estimated rule cost", times });
      if (test.problem !== undefined) this.errors.push(fieldError.invalid(`${field}.rule`, shown(rule), test.problem));
      if (message?.problem !== undefined) this.errors.push(fieldError.invalid(`${field}.messageExpression`, shown(rule), message.problem));
      else if (message !== undefined)
        this.#cost(message.ast, node, { field: `${field}.messageExpression`, what: "estimated messageExpression cost", times: 1 });
      if (test.usesOldSelf && where.lost !== undefined) {
        this.errors.push(
          fieldError.invalid(`${field}.rule`, rule.rule, `oldSelf cannot be used on the uncorrelatable portion of the schema within ${where.lost}`),
        );
      } else if (!test.usesOldSelf && rule.optionalOldSelf !== undefined) {
        this.errors.push(fieldError.invalid(`${field}.optionalOldSelf`, rule.optionalOldSelf, "may not be set if oldSelf is not used in rule"));
      }
    }
  }

  #cost(ast: unknown, node: Node, { field, what, times }: { field: string; what: string; times: number }): void {
    if (ast === undefined) return;
    const cost = estimate(ast, sizesOf(node)) * times;
    this.costs.push({ path: field, cost });
    if (!this.#unchanged && cost > RULE_COST_MAX) this.errors.push(fieldError.forbidden(field, exceeded(what, cost, RULE_COST_MAX)));
  }
}

/** `unchanged`: the schema was accepted before; the cost of its single rules is nobody's concern any more. */
export function ruleProblems(root: Node, { path, unchanged }: { readonly path: string; readonly unchanged: boolean }): FieldError[] {
  const problems = new Problems(unchanged);
  problems.node(root, { path, isResource: true, times: 1, lost: undefined });
  const total = problems.costs.reduce((sum, { cost }) => sum + cost, 0);
  if (total <= SCHEMA_COST_MAX) return problems.errors;
  const costly = problems.costs.toSorted((a, b) => b.cost - a.cost).slice(0, NAMED_MAX);
  const why = "contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema";
  const whole = exceeded("x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema", total, SCHEMA_COST_MAX);
  return [...problems.errors, ...costly.map((one) => fieldError.forbidden(one.path, why)), fieldError.forbidden(path, whole)];
}
