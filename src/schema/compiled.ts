// What is computed from a kind once: the functions that the API server runs on every request.
import type { StatusError } from "#core";
import type { FieldError } from "./field-error.ts";
import type { Restore } from "./from-unstructured.ts";
import type { InOrder } from "./member-order.ts";
import type { Kind } from "./kind.ts";
import type { MergeType } from "./apply/index.ts";
import type { Node } from "./node.ts";
import type { KubeObject } from "./object.ts";
import type { ProtobufCodec } from "./protobuf/index.ts";

/** Kubernetes' query parameter: refuse, warn about, or ignore unknown and duplicate fields. */
export type FieldValidation = "Strict" | "Warn" | "Ignore";

export interface DecodeOptions {
  readonly fieldValidation: FieldValidation;
  /** Problems that only the text shows, from `duplicateFields`. */
  readonly duplicates?: readonly string[];
  /** The JSON that was read: problems are told in its order. */
  readonly text?: string;
  /** Makes the refusal for a reason; default: a bad request that names the kind. */
  readonly refuse?: (why: string) => StatusError;
}

/** A pruned object and the texts of the `Warning` headers. */
export interface Decoded {
  readonly object: KubeObject;
  readonly warnings: readonly string[];
}

export interface CompiledKind<O extends KubeObject = KubeObject> {
  readonly kind: Kind<O>;
  /** The whole object's schema, apiVersion, kind and metadata included; what strategic merge patches follow. */
  readonly root: Node;
  readonly definitions: Readonly<Record<string, Node>>;
  /** Messages of the kind's objects; custom kinds have none. */
  readonly protobuf: ProtobufCodec | undefined;
  /** What a strategic merge patch made, with its values as the types hold them; throws `Misfit`. */
  readonly restore: Restore;
  /** An object with its members in the order in which Go writes them. */
  readonly inOrder: InOrder;
  /** How server-side apply merges objects of the kind. */
  readonly mergeType: MergeType;
  /** An object with nothing in it: what there is before one is created. */
  readonly empty: KubeObject;
  /**
   * JSON → the object without unknown fields and without nulls where Kubernetes drops them. Throws StatusError
   * `BadRequest`: strict problems, metadata of a wrong type, for built-in kinds any value of a wrong type.
   */
  decode(json: unknown, options: DecodeOptions): Decoded;
  /** Schema defaults, then the kind's own; the same object when nothing was missing. */
  applyDefaults(object: KubeObject): KubeObject;
  /** Texts of `Warning` headers about a valid object. */
  warnings(object: KubeObject, old?: KubeObject): readonly string[];
  /** Metadata, structure and the kind's semantic checks, in Kubernetes' order and wording; empty is valid. */
  validate(object: KubeObject, old?: KubeObject, subresource?: string, warn?: (text: string) => void): readonly FieldError[];
}
