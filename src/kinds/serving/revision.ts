// Revision (serving.knative.dev/v1): an immutable snapshot of code and configuration.
import type { KubeObject } from "#schema";
import type { DuckStatus } from "./duck.ts";
import type { RevisionSpec } from "./pod-template.ts";
import { CONFIG_NAME, GENERATION, READY, REPLICAS } from "./columns.ts";
import { servingKind } from "./knative-kind.ts";

export interface ContainerStatus {
  name?: string;
  imageDigest?: string;
}

export interface RevisionStatus extends DuckStatus {
  logUrl?: string;
  containerStatuses?: ContainerStatus[];
  initContainerStatuses?: ContainerStatus[];
  actualReplicas?: number;
  desiredReplicas?: number;
}

export interface Revision extends KubeObject {
  spec: RevisionSpec;
  status?: RevisionStatus;
}

export const Revision = servingKind<Revision>({
  kind: "Revision",
  plural: "revisions",
  shortNames: ["rev"],
  columns: [CONFIG_NAME, GENERATION, ...READY, ...REPLICAS],
  schema: { type: "object" },
});
