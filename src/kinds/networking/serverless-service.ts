// ServerlessService (networking.internal.knative.dev/v1alpha1): whether a Revision is reached directly or through the activator.
import { conditionSet, defineKind, s, type ObjectOf } from "#schema";
import { READY, SERVERLESS_SERVICE } from "../serving/columns.ts";
import { duckStatus } from "../duck/status.ts";
import { networkingGroup } from "../serving/group.ts";

const text = { type: "string" } as const;
const objectRef = s.node<{ apiVersion?: string; kind?: string; name?: string; namespace?: string }>({
  type: "object",
  properties: { apiVersion: text, fieldPath: text, kind: text, name: text, namespace: text, resourceVersion: text, uid: text },
  "x-kubernetes-map-type": "atomic",
});

/** `mode` is `Serve` or `Proxy`; `numActivators` 0 means all. */
export const ServerlessService = defineKind({
  ...networkingGroup,
  kind: "ServerlessService",
  plural: "serverlessservices",
  shortNames: ["sks"],
  columns: [...SERVERLESS_SERVICE, ...READY],
  spec: s.object({
    mode: s.optional(s.string()),
    numActivators: s.optional(s.int32()),
    objectRef: s.filled(objectRef),
    protocolType: s.string(),
  }),
  status: s.object({ ...duckStatus, privateServiceName: s.optional(s.string()), serviceName: s.optional(s.string()) }),
});
export type ServerlessService = ObjectOf<typeof ServerlessService>;

/** `ActivatorEndpointsPopulated` informs only. */
export const serverlessServiceConditions = conditionSet({ happy: "Ready", dependents: ["EndpointsPopulated"] });
