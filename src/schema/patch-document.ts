// From the text of a patch to what it says, with the API server's complaints: each of the three types has its own.
import { badRequest, StatusError } from "#core";
import { isObject } from "./compile-nodes.ts";
import type { FieldValidation } from "./compiled.ts";
import { jsonSyntaxError } from "./json-syntax.ts";
import { parseWithLiterals, withExactNumbers } from "./number-literal.ts";
import { duplicateFields } from "./strict-json.ts";

export type PatchType = "json" | "merge" | "strategic";

/** A patch that was read. `problems` are duplicate and unknown fields of the patch itself, for strict validation and warnings. */
export interface PatchDocument {
  readonly type: PatchType;
  readonly json: unknown;
  readonly problems: readonly string[];
}

const OPERATION_FIELDS = new Set(["op", "path", "from", "value"]);

function goName(value: unknown): string {
  if (Array.isArray(value)) return "array";
  return typeof value === "boolean" ? "bool" : typeof value;
}

/** The first thing that does not fit into Go's type of a list of operations. */
function operationMismatch(json: unknown): string | undefined {
  if (json === null) return undefined;
  if (!Array.isArray(json)) return `${goName(json)} into Go value of type []handlers.jsonPatchOp`;
  for (const operation of json as unknown[]) {
    if (operation === null) continue;
    if (!isObject(operation)) return `${goName(operation)} into Go value of type handlers.jsonPatchOp`;
    for (const [name, value] of Object.entries(operation)) {
      const isText = name !== "value" && OPERATION_FIELDS.has(name);
      if (isText && value !== null && typeof value !== "string") return `${goName(value)} into Go struct field jsonPatchOp.${name} of type string`;
    }
  }
  return undefined;
}

function unknownOperationFields(json: unknown): string[] {
  const operations = Array.isArray(json) ? (json as unknown[]) : [];
  return operations.flatMap((operation, index) =>
    Object.keys(isObject(operation) ? operation : {})
      .filter((name) => !OPERATION_FIELDS.has(name))
      .map((name) => `unknown field "[${index}].${name}"`),
  );
}

function parsed(text: string, refuse: (why: string) => StatusError): unknown {
  let json: unknown;
  try {
    json = parseWithLiterals(text);
  } catch (cause) {
    throw refuse(jsonSyntaxError(text) ?? (cause as Error).message);
  }
  return withExactNumbers(json);
}

function readOperations(text: string, strict: boolean): PatchDocument {
  const prefix = strict ? "error decoding patch: " : "";
  const json = parsed(text, (why) => badRequest(prefix + why));
  if (!strict) {
    const wrong = Array.isArray(json) ? (json as unknown[]).find((operation) => operation !== null && !isObject(operation)) : undefined;
    if (wrong !== undefined) throw badRequest(`json: cannot unmarshal ${goName(wrong)} into Go value of type jsonpatch.Operation`);
    if (json !== null && !Array.isArray(json)) throw badRequest(`json: cannot unmarshal ${goName(json)} into Go value of type jsonpatch.Patch`);
    return { type: "json", json, problems: [] };
  }
  const mismatch = operationMismatch(json);
  if (mismatch !== undefined) throw badRequest(`${prefix}json: cannot unmarshal ${mismatch}`);
  const problems = [...duplicateFields(text), ...unknownOperationFields(json)].map((problem) => `json patch ${problem}`);
  return { type: "json", json, problems };
}

function readMerge(text: string, strict: boolean): PatchDocument {
  const useless = (): StatusError => badRequest("Invalid JSON Patch");
  const json = parsed(text, (why) => (strict ? badRequest(`error decoding patch: ${why}`) : useless()));
  if (json === null) throw useless();
  if (!isObject(json)) {
    if (strict) throw badRequest(`error decoding patch: json: cannot unmarshal ${goName(json)} into Go value of type map[string]interface {}`);
    if (!Array.isArray(json)) throw useless();
  }
  return { type: "merge", json, problems: strict ? duplicateFields(text) : [] };
}

function readStrategic(text: string, strict: boolean): PatchDocument {
  const json = parsed(text, (why) => badRequest(why)) ?? {};
  if (!isObject(json)) throw badRequest(`json: cannot unmarshal ${goName(json)} into Go value of type map[string]interface {}`);
  return { type: "strategic", json, problems: strict ? duplicateFields(text) : [] };
}

/** Reads the text of a patch. Throws StatusError `BadRequest` in the words that Kubernetes has for the type. */
export function readPatch(type: PatchType, text: string, fieldValidation: FieldValidation): PatchDocument {
  const strict = fieldValidation !== "Ignore";
  if (type === "json") return readOperations(text, strict);
  return type === "merge" ? readMerge(text, strict) : readStrategic(text, strict);
}

/** The refusal of what a patch makes: it is no object of the kind. `shown` is the result, or the patch itself. */
export function patchInvalid(shown: string, why: string): StatusError {
  const message = `Invalid value: ${JSON.stringify(shown)}: ${why}`;
  return new StatusError("Invalid", ` "" is invalid: patch: ${message}`, { details: { causes: [{ reason: "FieldValueInvalid", message, field: "patch" }] } });
}
