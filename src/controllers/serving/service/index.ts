// The controller of Services: it watches Services and the Configurations and Routes that they own.
import { Configuration, Revision, Route, Service, serving } from "#kinds";
import type { Controller } from "#reconcile";
import { observeService, type ObservedService } from "./observe.ts";
import { planService } from "./plan.ts";

/** Keeps a Configuration and a Route for each Service and sums their status up. */
export function serviceController(): Controller<Service, ObservedService> {
  return {
    name: "service-controller",
    primary: Service,
    owns: [Configuration, Route],
    watches: [
      {
        kind: Revision,
        keys: ({ metadata }) => {
          const name = metadata.labels?.[serving.service];
          return name === undefined ? [] : [{ namespace: metadata.namespace ?? "", name }];
        },
      },
    ],
    observe: observeService,
    plan: planService,
    primaryOf: ({ service }) => service,
  };
}
