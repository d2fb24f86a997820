// From the little that is special to a kind to the whole `Kind`.
import type { Schema } from "./dsl.ts";
import type { Kind } from "./kind.ts";
import type { Node } from "./node.ts";
import type { KubeObject } from "./object.ts";

/** The type of a kind's objects: `type Route = ObjectOf<typeof Route>`. */
export type ObjectOf<K> = K extends Kind<infer O> ? O : never;

type Body<Spec, Status> = KubeObject & ([Spec] extends [never] ? unknown : { spec: Spec }) & ([Status] extends [never] ? unknown : { status?: Status });

/** What a kind's author writes; everything left out has the value that most kinds want. */
export interface KindDefinition<Spec, Status> extends Partial<
  Pick<
    Kind,
    | "singular"
    | "shortNames"
    | "categories"
    | "scope"
    | "definitions"
    | "columns"
    | "selectableFields"
    | "hasGeneration"
    | "labels"
    | "annotations"
    | "storageVersion"
    | "deprecationWarning"
  >
> {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly spec?: Schema<Spec>;
  readonly status?: Schema<Status>;
  /** Whether the schema itself insists on `spec`. */
  readonly specRequired?: boolean;
  /** Default: `/status` when the kind has a status. */
  readonly subresources?: Kind["subresources"];
  validate?(object: Body<Spec, Status>, old: Body<Spec, Status> | undefined): ReturnType<NonNullable<Kind["validate"]>>;
}

/** A custom kind: singular is the kind in lower case, namespaced, generation counted when there is a spec. */
export function defineKind<Spec = never, Status = never>(definition: KindDefinition<Spec, Status>): Kind<Body<Spec, Status>> {
  const { spec, status, specRequired, ...rest } = definition;
  const properties: Record<string, Node> = { ...(spec === undefined ? {} : { spec }), ...(status === undefined ? {} : { status }) };
  return {
    singular: definition.kind.toLowerCase(),
    shortNames: [],
    categories: [],
    scope: "Namespaced",
    subresources: status === undefined ? {} : { status: true },
    columns: [],
    custom: true,
    hasGeneration: true,
    ...rest,
    schema: { type: "object", properties, ...(specRequired === true ? { required: ["spec"] } : {}) },
  };
}
