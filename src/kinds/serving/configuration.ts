// Configuration (serving.knative.dev/v1): the desired state of the newest Revision.
import { conditionSet, defineKind, s, type ObjectOf } from "#schema";
import { LATEST, READY } from "./columns.ts";
import { duckStatus } from "../duck/status.ts";
import { servingGroup, servingLabels } from "./group.ts";
import { RevisionTemplate } from "./revision-spec.ts";

export const latestRevisions = { latestCreatedRevisionName: s.optional(s.string()), latestReadyRevisionName: s.optional(s.string()) };

export const Configuration = defineKind({
  ...servingGroup,
  kind: "Configuration",
  plural: "configurations",
  shortNames: ["config", "cfg"],
  columns: [...LATEST, ...READY],
  labels: servingLabels.podspecable,
  spec: s.object({ template: s.filled(RevisionTemplate) }),
  status: s.object({ ...duckStatus, ...latestRevisions }),
});
export type Configuration = ObjectOf<typeof Configuration>;

export const configurationConditions = conditionSet({ happy: "Ready", dependents: [] });
