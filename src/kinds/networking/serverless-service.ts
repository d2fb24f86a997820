// ServerlessService (networking.internal.knative.dev/v1alpha1): whether a Revision is reached directly or through the activator.
import type { KubeObject } from "#schema";
import type { DuckStatus } from "../serving/duck.ts";
import { READY, SERVERLESS_SERVICE } from "../serving/columns.ts";
import { networkingKind } from "../serving/knative-kind.ts";

export interface ServerlessService extends KubeObject {
  spec: {
    mode?: "Serve" | "Proxy";
    objectRef: { apiVersion?: string; kind?: string; name?: string; namespace?: string };
    protocolType: string;
    /** 0: all activators. */
    numActivators?: number;
  };
  status?: DuckStatus & { serviceName?: string; privateServiceName?: string };
}

export const ServerlessService = networkingKind<ServerlessService>({
  kind: "ServerlessService",
  plural: "serverlessservices",
  shortNames: ["sks"],
  columns: [...SERVERLESS_SERVICE, ...READY],
  schema: { type: "object" },
});
