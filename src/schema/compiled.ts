// What is computed from a kind once: the functions that the API server runs on every request.
import type { FieldError } from "./field-error.ts";
import type { Kind } from "./kind.ts";
import type { Node } from "./node.ts";
import type { KubeObject } from "./object.ts";

/** Kubernetes' query parameter: refuse, warn about, or ignore unknown and duplicate fields. */
export type FieldValidation = "Strict" | "Warn" | "Ignore";

export interface DecodeOptions {
  readonly fieldValidation: FieldValidation;
  /** Problems that only the text shows, from `duplicateFields`. */
  readonly duplicates?: readonly string[];
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
  /**
   * JSON → the object without unknown fields and without nulls where Kubernetes drops them. Throws StatusError
   * `BadRequest`: strict problems, metadata of a wrong type, for built-in kinds any value of a wrong type.
   */
  decode(json: unknown, options: DecodeOptions): Decoded;
  /** Schema defaults, then the kind's own; the same object when nothing was missing. */
  applyDefaults(object: KubeObject): KubeObject;
  /** Metadata, structure and the kind's semantic checks, in Kubernetes' order and wording; empty is valid. */
  validate(object: KubeObject, old?: KubeObject): readonly FieldError[];
}
