// Configuration (serving.knative.dev/v1): the desired state of the newest Revision.
import type { KubeObject } from "#schema";
import type { DuckStatus } from "./duck.ts";
import type { RevisionTemplate } from "./pod-template.ts";
import { LATEST, READY } from "./columns.ts";
import { servingKind } from "./knative-kind.ts";

export interface Configuration extends KubeObject {
  spec: { template: RevisionTemplate };
  status?: DuckStatus & { latestCreatedRevisionName?: string; latestReadyRevisionName?: string };
}

export const Configuration = servingKind<Configuration>({
  kind: "Configuration",
  plural: "configurations",
  shortNames: ["config", "cfg"],
  columns: [...LATEST, ...READY],
  labels: { "duck.knative.dev/podspecable": "true" },
  schema: { type: "object" },
});
