// Whole Kubernetes objects inside custom objects: they say what they are, and their metadata is in order.
import { isObject, nodeCompiler } from "./compile-nodes.ts";
import { fieldError, type FieldError } from "./field-error.ts";
import { embeddedMetadataErrors } from "./metadata.ts";
import { names } from "./names.ts";
import type { Node } from "./node.ts";
import type { ObjectMeta } from "./object.ts";

export type CheckEmbedded = (value: unknown, path: string, errors: FieldError[]) => void;

interface Embedded {
  readonly check: CheckEmbedded;
  readonly empty: boolean;
}

function textErrors(field: string, value: unknown, check: (text: string) => readonly string[]): FieldError[] {
  if (typeof value !== "string") return [fieldError.invalid(field, value, "must be a string")];
  if (value === "") return [fieldError.invalid(field, value, "must not be empty")];
  return check(value).map((detail) => fieldError.invalid(field, value, detail));
}

/** What is wrong with an object that must be one of Kubernetes'. */
function objectErrors(object: Readonly<Record<string, unknown>>, path: string): FieldError[] {
  const at = (name: string): string => (path === "" ? name : `${path}.${name}`);
  const missing = ["apiVersion", "kind"].filter((name) => object[name] === undefined).map((name) => fieldError.required(at(name)));
  const { apiVersion, kind, metadata } = object;
  const versionErrors = (text: string): string[] => (text.split("/").length > 2 ? [`unexpected GroupVersion string: ${text}`] : []);
  const kindErrors = (text: string): string[] => {
    const wrong = names.dns1035Label(text.toLowerCase());
    return wrong.length === 0 ? [] : [`may have mixed case, but should otherwise match: ${wrong.join(",")}`];
  };
  return [
    ...missing,
    ...(apiVersion === undefined ? [] : textErrors(at("apiVersion"), apiVersion, versionErrors)),
    ...(kind === undefined ? [] : textErrors(at("kind"), kind, kindErrors)),
    ...(isObject(metadata) ? embeddedMetadataErrors(metadata as Partial<ObjectMeta>, at("metadata")) : []),
  ];
}

function compile(node: Node, next: (node: Node) => Embedded): Embedded {
  const items = node.items === undefined ? undefined : next(node.items);
  const properties = new Map(Object.entries(node.properties ?? {}).map(([name, child]) => [name, next(child)] as const));
  const others = node.additionalProperties === undefined ? undefined : next(node.additionalProperties);
  const isEmbedded = node["x-kubernetes-embedded-resource"] === true;
  const empty = !isEmbedded && items?.empty !== false && others?.empty !== false && [...properties.values()].every((child) => child.empty);
  const check: CheckEmbedded = (value, path, errors) => {
    if (Array.isArray(value)) value.forEach((item, index) => items?.check(item, `${path}[${index}]`, errors));
    if (!isObject(value)) return;
    if (isEmbedded) errors.push(...objectErrors(value, path));
    for (const [name, member] of Object.entries(value)) {
      const child = properties.get(name);
      if (child !== undefined) child.check(member, path === "" ? name : `${path}.${name}`, errors);
      else others?.check(member, `${path}[${name}]`, errors);
    }
  };
  return { check: empty ? () => {} : check, empty };
}

export function embeddedChecker(definitions: Readonly<Record<string, Node>>): (node: Node) => CheckEmbedded {
  const compiler = nodeCompiler<Embedded>(definitions, compile, (get) => ({ check: (value, path, errors) => get().check(value, path, errors), empty: false }));
  return (node) => compiler(node).check;
}
