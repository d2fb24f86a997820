// The controller of ServerlessServices: it watches its Services and Endpoints, Deployments and pods.
import { CoreService, Deployment, Endpoints, Pod, serving, ServerlessService } from "#kinds";
import type { Controller, Watched } from "#reconcile";
import type { Kind, KubeObject, ObjectKey } from "#schema";
import { observeServerlessService, type ObservedServerlessService, type ServerlessServiceOptions } from "./observe.ts";
import { planServerlessService } from "./plan.ts";

export type { ServerlessServiceOptions } from "./observe.ts";

/** The ServerlessService has its revision's name, which Deployments and pods carry as a label. */
function revisionOf(object: KubeObject): readonly ObjectKey[] {
  const name = object.metadata.labels?.[serving.revision];
  return name === undefined ? [] : [{ namespace: object.metadata.namespace ?? "", name }];
}

function watched<O extends KubeObject>(kind: Kind<O>): Watched {
  return { kind: kind as unknown as Kind, keys: revisionOf };
}

/** Steers a revision's public Service between its pods and the activators. */
export function serverlessServiceController(options: ServerlessServiceOptions): Controller<ServerlessService, ObservedServerlessService> {
  return {
    name: "serverlessservice-controller",
    primary: ServerlessService,
    owns: [CoreService as unknown as Kind, Endpoints as unknown as Kind],
    watches: [watched(Deployment), watched(Pod)],
    observe: (key, world) => observeServerlessService(key, world, options),
    plan: planServerlessService,
    primaryOf: ({ service }) => service,
  };
}
