// From imported data to a `Kind`: what all of Kubernetes' own kinds have in common.
import { assert } from "#core";
import type { Kind, KubeObject, Node } from "#schema";

type Chosen = "group" | "kind" | "plural" | "columns";
type Usual =
  | "version"
  | "singular"
  | "shortNames"
  | "categories"
  | "scope"
  | "subresources"
  | "selectableFields"
  | "blank"
  | "hasGeneration"
  | "nameForm"
  | "storageVersion"
  | "metadataChecks"
  | "statusKeeps"
  | "prepareNew"
  | "createsOnUpdate"
  | "updatesNeedVersion"
  | "generationOfMetadata"
  | "statusAtCreation"
  | "completed"
  | "validate"
  | "warnings"
  | "defaultObject";

/** What a built-in kind's file says; `definition` is the name of its type among `definitions`. */
export type Builtin<O extends KubeObject> = Pick<Kind<O>, Chosen> &
  Partial<Pick<Kind<O>, Usual>> & { readonly definitions: Readonly<Record<string, Node>>; readonly definition: string };

/** Version v1 unless another is given; `/status` when the type has a status; generation counted only when asked for. */
export function builtin<O extends KubeObject>(of: Builtin<O>): Kind<O> {
  const { definition, ...rest } = of;
  const whole = of.definitions[definition];
  assert(whole?.properties !== undefined, `no definition ${definition}`);
  const { metadata: _, ...properties } = whole.properties;
  return {
    version: "v1",
    singular: of.kind.toLowerCase(),
    shortNames: [],
    categories: [],
    scope: "Namespaced",
    subresources: properties["status"] === undefined ? {} : { status: true },
    custom: false,
    hasGeneration: false,
    ...rest,
    schema: { ...whole, properties },
  };
}
