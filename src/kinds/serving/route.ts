// Route (serving.knative.dev/v1): a name, a URL and where its traffic goes.
import { conditionSet, defineKind, s, type ObjectOf, type ValueOf } from "#schema";
import { READY, URL_COLUMN } from "./columns.ts";
import { AddressableSchema, duckStatus } from "../duck/status.ts";
import { servingGroup, servingLabels } from "./group.ts";

/** `url` is set by the platform only, in the status. */
const TrafficTarget = s.object({
  configurationName: s.optional(s.string()),
  latestRevision: s.optional(s.boolean()),
  percent: s.optional(s.int64()),
  revisionName: s.optional(s.string()),
  tag: s.optional(s.string()),
  url: s.optional(s.string()),
});
export type TrafficTarget = ValueOf<typeof TrafficTarget>;

export const traffic = s.optional(s.list(TrafficTarget, { plain: true }));

export const routeStatus = {
  ...duckStatus,
  address: s.optional(AddressableSchema),
  traffic,
  url: s.optional(s.string()),
};
const Status = s.object(routeStatus);
export type RouteStatus = ValueOf<typeof Status>;

export const Route = defineKind({
  ...servingGroup,
  kind: "Route",
  plural: "routes",
  shortNames: ["rt"],
  columns: [URL_COLUMN, ...READY],
  labels: servingLabels.addressable,
  spec: s.object({ traffic }),
  status: Status,
});
export type Route = ObjectOf<typeof Route>;

export const routeConditions = conditionSet({ happy: "Ready", dependents: ["AllTrafficAssigned", "IngressReady", "CertificateProvisioned"] });
