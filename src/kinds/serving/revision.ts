// Revision (serving.knative.dev/v1): an immutable snapshot of code and configuration.
import { conditionSet, defineKind, s, type ObjectOf, type ValueOf } from "#schema";
import { CONFIG_NAME, GENERATION, READY, REPLICAS } from "./columns.ts";
import { duckStatus } from "../duck/status.ts";
import { servingGroup, servingLabels } from "./group.ts";
import { RevisionSpec } from "./revision-spec.ts";

const ContainerStatus = s.object({ imageDigest: s.optional(s.string()), name: s.optional(s.string()) });
export type ContainerStatus = ValueOf<typeof ContainerStatus>;

const Status = s.object({
  ...duckStatus,
  actualReplicas: s.optional(s.int32()),
  containerStatuses: s.optional(s.list(ContainerStatus, { plain: true })),
  desiredReplicas: s.optional(s.int32()),
  initContainerStatuses: s.optional(s.list(ContainerStatus, { plain: true })),
  logUrl: s.optional(s.string()),
});
export type RevisionStatus = ValueOf<typeof Status>;

export const Revision = defineKind({
  ...servingGroup,
  kind: "Revision",
  plural: "revisions",
  shortNames: ["rev"],
  columns: [CONFIG_NAME, GENERATION, ...READY, ...REPLICAS],
  labels: servingLabels.plain,
  spec: RevisionSpec,
  status: Status,
});
export type Revision = ObjectOf<typeof Revision>;

/** `Active` informs only. */
export const revisionConditions = conditionSet({ happy: "Ready", dependents: ["ResourcesAvailable", "ContainerHealthy"] });
