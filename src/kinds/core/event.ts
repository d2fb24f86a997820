// Event of the core group: what happened to an object.
import { ageOf, fieldError, type Column, type FieldError, type Kind, type KubeObject } from "#schema";
import { builtin } from "./builtin.ts";
import { definitions } from "./definitions.ts";
import type { Event as EventObject } from "./v1.types.ts";

export type Event = EventObject;

const firstSeen = (event: Event): string | undefined => event.firstTimestamp ?? event.eventTime;
const lastSeen = (event: Event): string | undefined => event.series?.lastObservedTime ?? event.lastTimestamp ?? firstSeen(event);

function sourceText(event: Event): string {
  const component = event.source?.component || event.reportingComponent || "";
  const host = event.source?.host || event.reportingInstance || "";
  return host === "" ? component : `${component}, ${host}`;
}

function objectText({ involvedObject: { kind = "", name = "" } }: Event): string {
  return name === "" ? kind.toLowerCase() : `${kind.toLowerCase()}/${name}`;
}

const cell =
  (read: (event: Event, nowMs: number) => string | number): NonNullable<Column["cell"]> =>
  (object, nowMs) =>
    read(object as Event, nowMs);

const columns: readonly Column[] = [
  {
    name: "Last Seen",
    type: "string",
    description: "The time at which the most recent occurrence of this event was recorded.",
    cell: cell((event, nowMs) => ageOf(lastSeen(event), nowMs)),
  },
  { name: "Type", type: "string", cell: cell((event) => event.type ?? "") },
  { name: "Reason", type: "string", cell: cell((event) => event.reason ?? "") },
  { name: "Object", type: "string", cell: cell(objectText) },
  { name: "Subobject", type: "string", priority: 1, cell: cell((event) => event.involvedObject.fieldPath ?? "") },
  { name: "Source", type: "string", priority: 1, cell: cell(sourceText) },
  { name: "Message", type: "string", cell: cell((event) => (event.message ?? "").trim()) },
  { name: "First Seen", type: "string", priority: 1, cell: cell((event, nowMs) => ageOf(firstSeen(event), nowMs)) },
  { name: "Count", type: "string", priority: 1, cell: cell((event) => event.series?.count ?? (event.count || 1)) },
  { name: "Name", type: "string", format: "name", priority: 1, cell: cell((event) => event.metadata.name) },
];

const field =
  (read: (event: Event) => string | undefined) =>
  (object: KubeObject): string =>
    read(object as Event) ?? "";

function eventErrors(event: Event): FieldError[] {
  const involved = event.involvedObject.namespace ?? "";
  const namespace = event.metadata.namespace ?? "";
  const fits = involved === "" ? namespace === "default" || namespace === "kube-system" : involved === namespace;
  return fits ? [] : [fieldError.invalid("involvedObject.namespace", involved, "does not match event.namespace")];
}

export const Event: Kind<Event> = builtin<Event>({
  group: "",
  kind: "Event",
  plural: "events",
  shortNames: ["ev"],
  definitions,
  metadataChecks: { update: false, object: false, finalizers: false },
  definition: "io.k8s.api.core.v1.Event",
  createsOnUpdate: true,
  blank: {
    involvedObject: {},
    source: {},
    firstTimestamp: null,
    lastTimestamp: null,
    eventTime: null,
    reportingComponent: "",
    reportingInstance: "",
  },
  columns,
  selectableFields: {
    "involvedObject.kind": field((event) => event.involvedObject.kind),
    "involvedObject.namespace": field((event) => event.involvedObject.namespace),
    "involvedObject.name": field((event) => event.involvedObject.name),
    "involvedObject.uid": field((event) => event.involvedObject.uid),
    "involvedObject.apiVersion": field((event) => event.involvedObject.apiVersion),
    "involvedObject.resourceVersion": field((event) => event.involvedObject.resourceVersion),
    "involvedObject.fieldPath": field((event) => event.involvedObject.fieldPath),
    reason: field((event) => event.reason),
    reportingComponent: field((event) => event.reportingComponent),
    source: field((event) => event.source?.component || event.reportingComponent),
    type: field((event) => event.type),
  },
  validate: eventErrors,
});
