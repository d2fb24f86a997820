// Event of the core group: what happened to an object.
import { ageOf, fieldError, names, type Column, type FieldError, type Kind, type KubeObject } from "#schema";
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

const TEXT_MAX = 128;
const MESSAGE_MAX = 1024;

/** An event lies beside the object that it is about; those about objects without a namespace lie in a few known ones. */
function namespaceErrors(event: Event, isNew: boolean): FieldError[] {
  const involved = event.involvedObject.namespace ?? "";
  const namespace = event.metadata.namespace ?? "";
  const fits = involved === "" ? namespace === "default" || (isNew && namespace === "kube-system") : isNew || involved === namespace;
  return fits ? [] : [fieldError.invalid("involvedObject.namespace", involved, "does not match event.namespace")];
}

/** What programs that tell an exact time have to say, too. */
function newFormErrors(event: Event): FieldError[] {
  const { reportingComponent = "", reportingInstance = "", action = "", reason = "", message = "" } = event;
  const wrong: FieldError[] = [];
  const required = (at: string, text: string): void => void (text === "" && wrong.push(fieldError.required(at)));
  const short = (at: string, text: string, max: number): void => {
    if (Buffer.byteLength(text) > max) wrong.push(fieldError.invalid(at, "", `can have at most ${max} characters`));
  };
  required("reportingComponent", reportingComponent);
  wrong.push(...names.qualifiedName(reportingComponent).map((detail) => fieldError.invalid("reportingComponent", reportingComponent, detail)));
  required("reportingInstance", reportingInstance);
  short("reportingInstance", reportingInstance, TEXT_MAX);
  required("action", action);
  short("action", action, TEXT_MAX);
  required("reason", reason);
  short("reason", reason, TEXT_MAX);
  short("message", message, MESSAGE_MAX);
  return wrong;
}

function eventErrors(event: Event): FieldError[] {
  const isNew = (event.eventTime ?? "") !== "";
  return [...namespaceErrors(event, isNew), ...(isNew ? newFormErrors(event) : [])];
}

export const Event: Kind<Event> = builtin<Event>({
  group: "",
  kind: "Event",
  plural: "events",
  nameForm: "path",
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
