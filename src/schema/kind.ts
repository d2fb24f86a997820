// What a kind is: data from which types, validation, defaults, tables, discovery and OpenAPI are computed.
import type { KubeObject } from "./object.ts";
import type { Node } from "./node.ts";
import type { FieldError } from "./field-error.ts";

/** A printer column; `path` is a JSONPath into the object, or `cell` computes the value where Kubernetes does. */
export interface Column {
  readonly name: string;
  /** `timestamp`: a time that is shown as it is stored, and called a date. */
  readonly type: "string" | "integer" | "number" | "boolean" | "date" | "timestamp";
  readonly format?: string;
  readonly description?: string;
  /** 0 is always shown, above 0 only with `-o wide`. */
  readonly priority?: number;
  readonly path?: string;
  readonly cell?: (object: KubeObject, nowMs: number) => string | number | boolean | null;
}

export interface ScaleSubresource {
  readonly specReplicasPath: string;
  readonly statusReplicasPath: string;
  readonly labelSelectorPath?: string;
}

/** Field selectors beside `metadata.name` and `metadata.namespace`: label → value of the object. */
export type SelectableFields = Readonly<Record<string, (object: KubeObject) => string>>;

/**
 * Kubernetes looks at metadata for every kind and again for most, and tells what it finds each time. `update`: the kind's
 * own look at a change of metadata; `object`: at the changed metadata as such; `finalizers`: its look insists on qualified names.
 */
export interface MetadataChecks {
  readonly update: boolean;
  readonly object: boolean;
  readonly finalizers: boolean;
}

/** One kind in one version. `O` is the TypeScript type of its objects and exists for the compiler only. */
export interface Kind<O extends KubeObject = KubeObject> {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  /** The kind of lists; default: the kind with `List` behind it. */
  readonly listKind?: string;
  readonly plural: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly scope: "Namespaced" | "Cluster";
  /** The version that Kubernetes stores, where it is another one: discovery tells a hash of it. */
  readonly storageVersion?: string;
  /** The form of `metadata.name`; default `subdomain` (RFC 1123). */
  readonly nameForm?: "subdomain" | "label" | "label1035" | "path";
  /** How the kind's own checks of metadata go beyond those of every kind; see `MetadataChecks`. */
  readonly metadataChecks?: MetadataChecks;
  /** Schema of the whole object below apiVersion, kind and metadata. */
  readonly schema: Node;
  /** What a custom kind's schema says of apiVersion, kind and metadata, which are otherwise Kubernetes' own. */
  readonly metaSchema?: Readonly<Record<string, Node>>;
  /** Named types that `schema` refers to by `$ref`. */
  readonly definitions?: Readonly<Record<string, Node>>;
  readonly subresources: { readonly status?: boolean; readonly scale?: ScaleSubresource };
  readonly columns: readonly Column[];
  readonly selectableFields?: SelectableFields;
  /** The members that Kubernetes writes of an object of the kind that has nothing in it: bookmarks are such objects. */
  readonly blank?: Readonly<Record<string, unknown>>;
  /** A kind of a custom resource: no strategic merge patch, AGE is not added to tables that declare columns. */
  readonly custom: boolean;
  /** Whether `metadata.generation` counts changes of everything but metadata and status. */
  readonly hasGeneration: boolean;
  /** What of a built-in kind's object a write of its status leaves as it is, beside the spec. Of custom kinds it changes nothing else. */
  readonly statusKeeps?: readonly (readonly string[])[];
  /** What the server adds to a new object beside defaults: nobody manages it. Returns the same object when nothing was missing. */
  prepareNew?(object: O): O;
  /** An object that is not there is created by a PUT. */
  readonly createsOnUpdate?: boolean;
  /** An update must say which state it was made from; always so for custom kinds. */
  readonly updatesNeedVersion?: boolean;
  /** Whoever makes one may tell its status, too. */
  readonly statusAtCreation?: boolean;
  /** How an object that has come to its end is marked in tables; undefined while it goes on. */
  readonly completed?: (object: KubeObject) => { readonly reason: string; readonly message: string } | undefined;
  /** Which part of its metadata a generation is about, too. */
  readonly generationOfMetadata?: "labels" | "annotations";
  /** Labels of the CustomResourceDefinition object that stands for a custom kind. */
  readonly labels?: Readonly<Record<string, string>>;
  /** As above, its annotations. */
  readonly annotations?: Readonly<Record<string, string>>;
  /** That this version is old and which is not: in its definition, and told to whoever uses it. */
  readonly deprecationWarning?: string;
  /** Semantic checks with no context, in Kubernetes' wording; Knative's webhook checks are `admit` instead. */
  validate?(object: O, old: O | undefined, subresource?: string): readonly FieldError[];
  /** What a client is told in `Warning` headers about an object that is written all the same. */
  warnings?(object: O, old: O | undefined): readonly string[];
  /** Defaults that Kubernetes applies in code and a schema cannot say; returns the same object when nothing was missing. */
  defaultObject?(object: O): O;
  readonly objectType?: O;
}

/** The user on whose behalf a request runs. */
export interface UserInfo {
  readonly name: string;
  readonly uid?: string;
  readonly groups: readonly string[];
}

export interface AdmissionRequest<O extends KubeObject = KubeObject> {
  readonly operation: "CREATE" | "UPDATE" | "DELETE";
  /** "" for the object itself. */
  readonly subresource: string;
  readonly user: UserInfo;
  readonly dryRun: boolean;
  /** The object after decoding, pruning and schema defaults; absent on DELETE. */
  readonly object: O;
  readonly old: O | undefined;
}

/** What admission answers: the object to go on with (the same one when nothing was defaulted) and warnings. */
export interface Admitted<O extends KubeObject = KubeObject> {
  readonly object: O;
  readonly warnings: readonly string[];
}

/** Defaults and checks that need context (settings, other objects); a StatusError refuses, with warnings of its own. Handed in by `main`. */
export type Admit<O extends KubeObject = KubeObject> = (request: AdmissionRequest<O>) => Admitted<O> | Promise<Admitted<O>>;

export function apiVersionOf(kind: Pick<Kind, "group" | "version">): string {
  return kind.group === "" ? kind.version : `${kind.group}/${kind.version}`;
}
