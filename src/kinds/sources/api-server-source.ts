// ApiServerSource (sources.knative.dev/v1): sends an event for each change of an object of the API.
import { conditionSet, defineKind, s, type ObjectOf, type ValueOf } from "#schema";
import { sourceSpec, sourceStatus } from "../duck/source.ts";
import { EventFilterSchema } from "../eventing/event-filter.ts";
import { eventTypes, LabelSelectorSchema, SOURCE_COLUMNS, sourcesGroup } from "./group.ts";

const text = s.optional(s.string());

const Spec = s.object({
  ...sourceSpec,
  filters: s.optional(s.list(EventFilterSchema, { plain: true })),
  mode: text,
  namespaceSelector: s.optional(LabelSelectorSchema),
  owner: s.optional(s.object({ apiVersion: text, kind: text })),
  resources: s.list(s.object({ apiVersion: text, kind: text, selector: s.optional(LabelSelectorSchema) }), { plain: true }),
  serviceAccountName: text,
});
export type ApiServerSourceSpec = ValueOf<typeof Spec>;

const Status = s.object({ ...sourceStatus, namespaces: s.optional(s.list(s.string(), { plain: true })) });
export type ApiServerSourceStatus = ValueOf<typeof Status>;

const TYPES = (["resource", "ref"] as const).flatMap((what) =>
  (["add", "delete", "update"] as const).map((change) => ({
    type: `dev.knative.apiserver.${what}.${change}`,
    description: `An object was ${change === "add" ? "added" : `${change}d`}: ${what === "ref" ? "a reference to it" : "the whole of it"}`,
  })),
);

/** What all versions share. */
export const apiServerKind = {
  ...sourcesGroup,
  kind: "ApiServerSource",
  plural: "apiserversources",
  columns: SOURCE_COLUMNS,
  annotations: eventTypes(TYPES),
  spec: Spec,
  status: Status,
} as const;

export const ApiServerSource = defineKind(apiServerKind);
export type ApiServerSource = ObjectOf<typeof ApiServerSource>;

export const apiServerSourceConditions = conditionSet({
  happy: "Ready",
  dependents: ["SinkProvided", "Deployed", "SufficientPermissions", "OIDCIdentityCreated"],
});
