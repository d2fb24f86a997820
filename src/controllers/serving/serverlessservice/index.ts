// The controller of ServerlessServices: it watches its Services and Endpoints, Deployments and pods.
import { CoreService, Deployment, Endpoints, Pod, ServerlessService } from "#kinds";
import type { Controller, Watched } from "#reconcile";
import type { Kind, KubeObject } from "#schema";
import { keyOfRevision } from "../of-revision.ts";
import { observeServerlessService, type ObservedServerlessService, type ServerlessServiceOptions } from "./observe.ts";
import { planServerlessService } from "./plan.ts";

export type { ServerlessServiceOptions } from "./observe.ts";

function watched<O extends KubeObject>(kind: Kind<O>): Watched {
  return { kind: kind as unknown as Kind, keys: keyOfRevision };
}

/** Steers a revision's public Service between its pods and the activators. */
export function serverlessServiceController(options: ServerlessServiceOptions): Controller<ServerlessService, ObservedServerlessService> {
  return {
    name: "serverlessservice-controller",
    primary: ServerlessService,
    owns: [CoreService as unknown as Kind, Endpoints as unknown as Kind],
    watches: [watched(Deployment), { ...watched(Pod), read: true }],
    observe: (key, world) => observeServerlessService(key, world, options),
    plan: planServerlessService,
    primaryOf: ({ service }) => service,
  };
}
