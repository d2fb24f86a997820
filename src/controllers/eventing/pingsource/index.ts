// The controller of PingSources: resolves whom they send to, and tells whether the events thread does.
import { PingSource } from "#kinds";
import type { Controller } from "#reconcile";
import type { Kind } from "#schema";
import { ReferenceTracker } from "../references.ts";
import { observePingSource, type ObservedPingSource, type PingSourceControllerDeps } from "./observe.ts";
import { planPingSource } from "./plan.ts";

export type { PingSourceControllerDeps } from "./observe.ts";

/** `addressables`: kinds whose objects may be sinks, and are watched for that. */
export function pingSourceController(deps: PingSourceControllerDeps, addressables: readonly Kind[]): Controller<PingSource, ObservedPingSource> {
  const references = new ReferenceTracker();
  return {
    name: "ping-source-controller",
    primary: PingSource,
    owns: [],
    watches: references.watches(addressables),
    observe: (key, world) => observePingSource(key, world, { ...deps, references }),
    plan: planPingSource,
    primaryOf: ({ source }) => source,
    forget: (key) => references.forget(key),
  };
}
