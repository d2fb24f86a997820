// Service (serving.knative.dev/v1): a Configuration and a Route in one.
import type { KubeObject } from "#schema";
import type { RevisionTemplate } from "./pod-template.ts";
import type { RouteStatus, TrafficTarget } from "./route.ts";
import { LATEST, READY, URL_COLUMN } from "./columns.ts";
import { servingKind } from "./knative-kind.ts";

export interface ServiceStatus extends RouteStatus {
  latestCreatedRevisionName?: string;
  latestReadyRevisionName?: string;
}

export interface Service extends KubeObject {
  spec: { template: RevisionTemplate; traffic?: TrafficTarget[] };
  status?: ServiceStatus;
}

export const Service = servingKind<Service>({
  kind: "Service",
  plural: "services",
  shortNames: ["kservice", "ksvc"],
  columns: [URL_COLUMN, ...LATEST, ...READY],
  labels: { "duck.knative.dev/addressable": "true", "duck.knative.dev/podspecable": "true" },
  schema: { type: "object" },
});
