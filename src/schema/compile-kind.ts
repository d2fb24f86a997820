// Compiles a kind: decode, default and validate as functions that no longer look at the schema.
import { badRequest, StatusError } from "#core";
import { mergeTypeOf, type MergeType } from "./apply/index.ts";
import type { CompiledKind, Decoded, DecodeOptions } from "./compiled.ts";
import { isObject } from "./compile-nodes.ts";
import { typedDecoder } from "./decode-typed.ts";
import { defaulter } from "./defaults.ts";
import { embeddedChecker } from "./embedded.ts";
import { ownEngines, type Engines } from "./engines.ts";
import { fieldError, type FieldError } from "./field-error.ts";
import { apiVersionOf, type Kind } from "./kind.ts";
import { listChecker } from "./list-types.ts";
import { memberOrder } from "./member-order.ts";
import { finalizerWarnings, metadataErrors } from "./metadata.ts";
import { objectMeta } from "./metadata-schema.ts";
import type { Node } from "./node.ts";
import type { KubeObject } from "./object.ts";
import { protobufCodec } from "./protobuf/index.ts";
import { restorer } from "./from-unstructured.ts";
import { pruner } from "./prune.ts";
import { inTextOrder } from "./strict-json.ts";
import { structureChecker } from "./validate-structure.ts";

/** The reader of the part below apiVersion, kind and metadata. */
type DecodeBody = (body: Record<string, unknown>, unknown: string[]) => Record<string, unknown>;

function rootOf(kind: Kind): Node {
  const text: Node = { type: "string" };
  // The metadata is the first field of every object.
  return { ...kind.schema, properties: { apiVersion: text, kind: text, metadata: { ...objectMeta, "x-eider-proto": 1 }, ...kind.schema.properties } };
}

function handled<T>(refuse: (why: string) => StatusError, decode: () => T): T {
  try {
    return decode();
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    throw refuse(error.message);
  }
}

/** `Pod in version "v1" cannot be handled as a Pod: WHY`. */
function cannotHandle(kind: Pick<Kind, "kind" | "version">, why: string): string {
  return `${kind.kind} in version ${JSON.stringify(kind.version)} cannot be handled as a ${kind.kind}: ${why}`;
}

/** The text of strict decoding's refusal, without what stands before it. */
function strictDecodingError(problems: readonly string[]): string {
  return `strict decoding error: ${problems.join(", ")}`;
}

function decodeWith(kind: Kind, body: DecodeBody, meta: (value: unknown, unknown: string[]) => unknown): (json: unknown, options: DecodeOptions) => Decoded {
  return (json, options) => {
    const refuse = options.refuse ?? ((why) => badRequest(cannotHandle(kind, why)));
    if (!isObject(json)) throw refuse(`json: cannot unmarshal ${Array.isArray(json) ? "array" : typeof json} into Go value`);
    const { apiVersion, kind: name, metadata, ...rest } = json;
    const unknown: string[] = [];
    const object = handled(refuse, () => ({ apiVersion, kind: name, metadata: meta(metadata ?? {}, unknown), ...body(rest, unknown) }) as KubeObject);
    if (options.fieldValidation === "Ignore") return { object, warnings: [] };
    // What a custom kind's schema does not know is found after the text was read.
    const unknownFields = (kind.custom ? unknown.toSorted() : unknown).map((path) => `unknown field ${JSON.stringify(path)}`);
    const found = [...(options.duplicates ?? []), ...unknownFields];
    const problems = kind.custom || options.text === undefined || found.length < 2 ? found : inTextOrder(options.text, found);
    if (problems.length > 0 && options.fieldValidation === "Strict") throw refuse(strictDecodingError(problems));
    return { object, warnings: problems };
  };
}

/** The types of metadata by their names, which refusals tell. */
const metaDefinitions: Readonly<Record<string, Node>> = (() => {
  const { ownerReferences = {}, managedFields = {}, ...others } = objectMeta.properties ?? {};
  const { items: OwnerReference = {}, ...owners } = ownerReferences;
  const { items: ManagedFieldsEntry = {}, ...managers } = managedFields;
  const properties = {
    ...others,
    ownerReferences: { ...owners, items: { $ref: "OwnerReference" } },
    managedFields: { ...managers, items: { $ref: "ManagedFieldsEntry" } },
  };
  return { ObjectMeta: { ...objectMeta, properties }, OwnerReference, ManagedFieldsEntry };
})();

/** Compiled once for all kinds: their metadata is of one type. */
const decodeMeta = typedDecoder(metaDefinitions)({ $ref: "ObjectMeta" });

function decoderOf(kind: Kind, definitions: Readonly<Record<string, Node>>): (json: unknown, options: DecodeOptions) => Decoded {
  if (kind.custom) {
    const prune = pruner(definitions)(kind.schema);
    // The metadata is decoded by itself: refusals do not tell where it stands, unknown fields do.
    const customMeta = (value: unknown, unknown: string[]): unknown => {
      const within: string[] = [];
      const decoded = decodeMeta(value, { path: "", owner: "ObjectMeta" }, within);
      unknown.push(...within.map((path) => `metadata.${path}`));
      return decoded;
    };
    return decodeWith(kind, (body, unknown) => prune(body, "", unknown) as Record<string, unknown>, customMeta);
  }
  const meta = (value: unknown, unknown: string[]): unknown => decodeMeta(value, { path: "metadata", owner: kind.kind }, unknown);
  const decode = typedDecoder(definitions)(kind.schema);
  return decodeWith(kind, (body, unknown) => decode(body, { path: "", owner: kind.kind }, unknown) as Record<string, unknown>, meta);
}

/** Errors after which rules are not asked: they could not rely on what they read. */
const BLOCKING: ReadonlySet<string> = new Set([
  "FieldValueNotSupported",
  "FieldValueRequired",
  "FieldValueTooLong",
  "FieldValueTooMany",
  "FieldValueTypeInvalid",
]);
const NOT_ASKED: FieldError = {
  type: "FieldValueInvalid",
  field: "<nil>",
  message: "Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation",
};

const INT32_MAX = 0x7fff_ffff;

/** Replicas are whole numbers that are not negative, wherever they stand. */
function scaleErrors({ subresources: { scale } }: Kind, object: unknown): FieldError[] {
  if (scale === undefined) return [];
  return [scale.specReplicasPath, scale.statusReplicasPath].flatMap((path) => {
    const value = path.split(".").reduce<unknown>((at, name) => (name === "" ? at : isObject(at) ? at[name] : undefined), object);
    if (typeof value !== "number") return [];
    if (value < 0) return [fieldError.invalid(path, value, "should be a non-negative integer")];
    return value > INT32_MAX ? [fieldError.invalid(path, value, `should be less than or equal to ${INT32_MAX}`)] : [];
  });
}

/** Adds to `errors` what is wrong with an object; what is tolerated is told to `warn`. */
type CheckCustom = (object: unknown, old: unknown, errors: FieldError[], warn: (text: string) => void) => void;

/** All that a custom kind's schema says of an object; a list that had duplicates before may keep them. */
function customChecker(kind: Kind, engines: Engines): CheckCustom {
  const definitions = kind.definitions ?? {};
  const root: Node = kind.metaSchema === undefined ? kind.schema : { ...kind.schema, properties: { ...kind.schema.properties, ...kind.metaSchema } };
  const checkValues = structureChecker(definitions, engines)(root);
  const checkEmbedded = embeddedChecker(definitions)(kind.schema);
  const checkLists = listChecker(definitions)(kind.schema);
  const checkRules = engines.rules(root);
  const listErrors = (object: unknown): FieldError[] => {
    const errors: FieldError[] = [];
    checkLists(object, "", errors);
    return errors;
  };
  return (object, old, errors, warn) => {
    checkValues(object, old, errors);
    errors.push(...scaleErrors(kind, object));
    checkEmbedded(object, "", errors);
    const duplicates = listErrors(object);
    if (duplicates.length > 0 && (old === undefined || listErrors(old).length === 0)) errors.push(...duplicates);
    if (checkRules === undefined) return;
    errors.push(...(errors.some(({ type }) => BLOCKING.has(type)) ? [NOT_ASKED] : checkRules(object, old, warn)));
  };
}

/** A write of the status is checked by the schema of the status alone, so that its texts begin there. */
function asOfStatus(error: FieldError): FieldError {
  const inStatus = error.field.startsWith("status.") ? error.field.slice("status.".length) : error.field;
  return { ...error, message: error.message.replace(`${error.field} in body`, `${inStatus} in body`) };
}

/** Everything that a kind's schema says, as functions; compile a kind once and keep the result. */
export function compileKind<O extends KubeObject>(kind: Kind<O>, engines: Engines = ownEngines): CompiledKind<O> {
  const definitions = kind.definitions ?? {};
  const plain = kind as unknown as Kind;
  const fill = defaulter(definitions)(kind.schema);
  let check: CheckCustom | undefined = plain.custom ? undefined : () => {};
  const root = rootOf(plain);
  const decode = decoderOf(plain, definitions);
  const names = { apiVersion: apiVersionOf(plain), kind: kind.kind } as KubeObject;
  let mergeType: MergeType | undefined;
  let empty: KubeObject | undefined;
  return {
    kind,
    root,
    definitions,
    protobuf: kind.custom ? undefined : protobufCodec(root, definitions, kind.kind),
    // Kinds that nobody writes need none of these.
    get mergeType() {
      return (mergeType ??= mergeTypeOf(root, definitions, objectMeta));
    },
    get empty() {
      return (empty ??= kind.custom ? names : decode(names, { fieldValidation: "Ignore" }).object);
    },
    restore: restorer(definitions)(root),
    inOrder: memberOrder(definitions)(root),
    decode,
    applyDefaults(object) {
      const filled = fill(object) as KubeObject;
      return plain.defaultObject?.(filled) ?? filled;
    },
    warnings(object, old) {
      const finalizers = kind.custom ? finalizerWarnings(object.metadata.finalizers ?? [], old?.metadata.finalizers ?? []) : [];
      return [...finalizers, ...(plain.warnings?.(object, old) ?? [])];
    },
    validate(object, old, subresource = "", warn = () => {}) {
      const errors: FieldError[] = metadataErrors(plain, object, old?.metadata, subresource);
      check ??= customChecker(plain, engines);
      check(object, old, errors, warn);
      if (kind.custom && subresource === "status") return errors.map(asOfStatus);
      return [...errors, ...(plain.validate?.(object, old, subresource) ?? [])];
    },
  };
}
