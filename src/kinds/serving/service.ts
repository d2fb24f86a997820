// Service (serving.knative.dev/v1): a Configuration and a Route in one.
import { conditionSet, defineKind, s, type ObjectOf, type ValueOf } from "#schema";
import { LATEST, READY, URL_COLUMN } from "./columns.ts";
import { latestRevisions } from "./configuration.ts";
import { servingGroup, servingLabels } from "./group.ts";
import { RevisionTemplate } from "./revision-spec.ts";
import { routeStatus, traffic } from "./route.ts";

const Status = s.object({ ...routeStatus, ...latestRevisions });
export type ServiceStatus = ValueOf<typeof Status>;

export const Service = defineKind({
  ...servingGroup,
  kind: "Service",
  plural: "services",
  shortNames: ["kservice", "ksvc"],
  columns: [URL_COLUMN, ...LATEST, ...READY],
  labels: servingLabels.both,
  spec: s.object({ template: s.filled(RevisionTemplate), traffic }),
  status: Status,
});
export type Service = ObjectOf<typeof Service>;

export const serviceConditions = conditionSet({ happy: "Ready", dependents: ["ConfigurationsReady", "RoutesReady"] });
