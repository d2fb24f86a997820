// EventType (eventing.knative.dev): which events can be had, and where. v1beta3 is stored; the older versions are views of it.
import { conditionSet, defineKind, s, type Column, type Kind, type KubeObject, type ObjectOf, type ValueOf } from "#schema";
import { KReferenceSchema } from "../duck/reference.ts";
import { duckStatus } from "../duck/status.ts";
import { viewOf, type KindView } from "../kind-view.ts";
import { eventTypeFromV1Beta2, eventTypeToV1Beta2 } from "./event-type-conversion.ts";
import { eventingGroup, eventingLabels, READY } from "./group.ts";

const text = s.optional(s.string());
const column = (name: string, path: string): Column => ({ name, type: "string", path });

const Attribute = s.object({ name: s.string(), required: s.optional(s.boolean()), value: text });
/** Of the events; a value may be a template such as `/foo/{bar}`. */
export type EventAttribute = ValueOf<typeof Attribute>;

const shared = { description: text, reference: s.optional(KReferenceSchema) };
const Spec = s.object({ ...shared, attributes: s.filled(s.list(Attribute, { plain: true })) });
export type EventTypeSpec = ValueOf<typeof Spec>;
const Status = s.object(duckStatus);

const common = { ...eventingGroup, kind: "EventType", plural: "eventtypes", labels: eventingLabels.plain, status: Status } as const;

const REFERENCE: readonly Column[] = [
  column("Reference Name", ".spec.reference.name"),
  column("Reference Kind", ".spec.reference.kind"),
  column("Description", ".spec.description"),
  ...READY,
];

export const EventType = defineKind({
  ...common,
  version: "v1beta3",
  columns: [column("Type", ".spec.attributes[?(@.name=='type')].value"), column("Source", ".spec.attributes[?(@.name=='source')].value"), ...REFERENCE],
  spec: Spec,
});
export type EventType = ObjectOf<typeof EventType>;

const older = {
  ...common,
  storageVersion: "v1beta3",
  columns: [column("Type", ".spec.type"), column("Source", ".spec.source"), column("Schema", ".spec.schema"), ...REFERENCE],
  spec: s.object({ ...shared, broker: text, schema: text, schemaData: text, source: text, type: text }),
} as const;

const MIGRATE =
  "eventing.knative.dev/v1beta1 EventType is deprecated; see https://knative.dev/docs/eventing/event-registry/ for instructions to migrate to eventing.knative.dev/v1beta2 EventType";
const conversion = { read: eventTypeToV1Beta2 as (object: KubeObject) => KubeObject, write: eventTypeFromV1Beta2 as (object: KubeObject) => KubeObject };
const stored = EventType as unknown as Kind;

export const olderEventTypes: readonly KindView[] = [
  viewOf(defineKind({ ...older, version: "v1beta2" }) as unknown as Kind, stored, conversion),
  viewOf(defineKind({ ...older, version: "v1beta1", deprecationWarning: MIGRATE }) as unknown as Kind, stored, conversion),
];

export const eventTypeConditions = conditionSet({ happy: "Ready", dependents: ["ReferenceExists"] });
