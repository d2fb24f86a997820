// Whether an applied configuration fits its type, in the words of Kubernetes' merge library.
import { isObject } from "../compile-nodes.ts";
import { elementText, fieldElement, goNumber } from "./element.ts";
import type { ListType, MapType, MergeType, Scalar } from "./merge-type.ts";
import { itemElement, memberType, shapeOf } from "./walk.ts";

/** More problems than these are not told: a body is large, and so would be the answer. */
const PROBLEMS_MAX = 100;

/** A value as Go shows it in its own syntax. */
function goSyntax(value: unknown): string {
  if (value === null || value === undefined) return "interface {}(nil)";
  if (typeof value === "number") return goNumber(value);
  if (Array.isArray(value)) return `[]interface {}{${value.map(goSyntax).join(", ")}}`;
  if (isObject(value)) {
    const members = Object.keys(value).sort();
    return `map[string]interface {}{${members.map((name) => `${JSON.stringify(name)}:${goSyntax(value[name])}`).join(", ")}}`;
  }
  return JSON.stringify(value);
}

/** A value as Go prints it. */
function goText(value: unknown): string {
  if (value === null || value === undefined) return "<nil>";
  if (typeof value === "number") return goNumber(value);
  if (Array.isArray(value)) return `[${value.map(goText).join(" ")}]`;
  if (!isObject(value)) return typeof value === "string" ? value : JSON.stringify(value);
  const members = Object.keys(value).sort();
  return `map[${members.map((name) => `${name}:${goText(value[name])}`).join(" ")}]`;
}

function goType(value: unknown): string {
  if (Array.isArray(value)) return "[]interface {}";
  if (typeof value === "object") return "map[string]interface {}";
  return typeof value === "boolean" ? "bool" : typeof value === "number" ? "float64" : "string";
}

function scalarProblem(scalar: Scalar, value: unknown): string | undefined {
  if (value === null || value === undefined) return undefined;
  switch (scalar) {
    case "number":
      return typeof value === "number" ? undefined : `expected numeric (int or float), got ${goType(value)}`;
    case "string":
      return typeof value === "string" ? undefined : `expected string, got &value.valueUnstructured{Value:${goSyntax(value)}}`;
    case "boolean":
      return typeof value === "boolean" ? undefined : `expected boolean, got &{${goText(value)}}`;
    case "untyped":
      return typeof value === "object" ? `expected any scalar, got &{${goText(value)}}` : undefined;
  }
}

interface Place {
  readonly path: string;
  readonly problems: string[];
}

function tell({ path, problems }: Place, problem: string): void {
  if (problems.length < PROBLEMS_MAX) problems.push(path === "" ? problem : `${path}: ${problem}`);
}

function checkMap(map: MapType, value: unknown, place: Place): void {
  if (value === null) return;
  if (!isObject(value)) return tell(place, `expected map, got &{${goText(value)}}`);
  for (const [name, member] of Object.entries(value)) {
    if (member === undefined) continue;
    const inner = { ...place, path: `${place.path}${elementText(fieldElement(name))}` };
    const type = memberType(map, name);
    // The first field that nobody knows ends the walk of its object.
    if (type === undefined) return tell(inner, "field not declared in schema");
    checkAt(type, member, inner);
  }
}

function checkList(list: ListType, value: unknown, place: Place): void {
  if (value === null) return;
  if (!Array.isArray(value)) return tell(place, `expected list, got &{${goText(value)}}`);
  const seen = new Set<string>();
  for (const [index, item] of value.entries()) {
    let text = `[${index}]`;
    if (!list.atomic) {
      const found = itemElement(list, item);
      if ("problem" in found) return tell(place, `element ${index}: ${found.problem}`);
      text = elementText(found.element);
      if (seen.has(found.element)) tell(place, `duplicate entries for key ${text}`);
      seen.add(found.element);
    }
    checkAt(list.items, item, { ...place, path: place.path + text });
  }
}

function checkAt(type: MergeType, value: unknown, place: Place): void {
  const shape = shapeOf(type, value);
  if (shape === "map" && type.map !== undefined) return checkMap(type.map, value, place);
  if (shape === "list" && type.list !== undefined) return checkList(type.list, value, place);
  const problem = type.scalar === undefined ? undefined : scalarProblem(type.scalar, value);
  if (problem !== undefined) tell(place, problem);
}

/** What is wrong with an applied configuration, as one text; undefined when it fits and no list has an item twice. */
export function misfitOf(type: MergeType, config: unknown): string | undefined {
  const problems: string[] = [];
  checkAt(type, config, { path: "", problems });
  if (problems.length < 2) return problems[0];
  return `errors:\n${problems.map((problem) => `  ${problem}`).join("\n")}`;
}
