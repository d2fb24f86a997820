// An EventType for each type of event that a source says it sends (eventing.md 7.1).
//
// spec.sink   status.ceAttributes   EventTypes
// a URI       any                   none
// a ref       none yet              none
// a ref       some                  one each, about the sink; what its definition says of the type describes it
import { EventType, sourceEventTypeName, type Destination } from "#kinds";
import type { Child, Plan } from "#reconcile";
import type { Kind, KubeObject } from "#schema";

/** Any object with the form that all sources have. */
export type SourceObject = KubeObject & {
  readonly spec?: { readonly sink?: Destination };
  readonly status?: { readonly ceAttributes?: readonly { readonly type?: string; readonly source?: string }[] };
};

export interface ObservedSource {
  readonly source: SourceObject;
  readonly kind: Kind;
}

/** An entry of the annotation of a source's definition. */
interface Registered {
  readonly type: string;
  readonly schema?: string;
  readonly description?: string;
}

const REGISTRY = "registry.knative.dev/eventTypes";
const SOURCE_NAME = "eventing.knative.dev/sourceName";

export function planSourceTypes({ source, kind }: ObservedSource): Plan {
  if (source.metadata.deletionTimestamp !== undefined) return { desired: undefined };
  const reference = source.spec?.sink?.ref;
  if (reference === undefined) return { desired: [] };
  const registered = new Map((JSON.parse(kind.annotations?.[REGISTRY] ?? "[]") as Registered[]).map((entry) => [entry.type, entry]));
  const children = (source.status?.ceAttributes ?? []).flatMap(({ type = "", source: from = "" }) =>
    type === "" ? [] : [childFor(source, { reference, from, ...registered.get(type), type })],
  );
  // Two of one name are one.
  return { desired: [...new Map(children.map((child) => [child.object.metadata.name, child as unknown as Child])).values()] };
}

function childFor(
  { metadata }: SourceObject,
  of: Registered & { readonly reference: NonNullable<Destination["ref"]>; readonly from: string },
): Child<EventType> {
  const { reference, from, type, schema = "", description } = of;
  const required = (name: string, value?: string) => ({ name, required: true, ...(value === undefined || value === "" ? {} : { value }) });
  const attributes = [required("specversion"), required("id"), required("type", type), required("source", from)];
  const { name, namespace = "", uid } = metadata;
  return {
    kind: EventType,
    object: {
      apiVersion: "eventing.knative.dev/v1beta3",
      kind: "EventType",
      metadata: { name: sourceEventTypeName({ type, source: from, schema, uid }), namespace, labels: { [SOURCE_NAME]: name } },
      spec: {
        reference,
        ...(description === undefined ? {} : { description }),
        attributes: schema === "" ? attributes : [...attributes, { name: "schemadata", required: false, value: schema }],
      },
    },
    merge: (current, wanted) => ({
      ...current,
      spec: wanted.spec,
      metadata: { ...current.metadata, labels: { ...current.metadata.labels, ...wanted.metadata.labels } },
    }),
  };
}
