// The controller of ApiServerSources: an event for each change of an object of the API.
import { ApiServerSource, Namespace, ServiceAccount } from "#kinds";
import type { Controller, Watched } from "#reconcile";
import type { Kind } from "#schema";
import { ReferenceTracker } from "../references.ts";
import { observeApiServerSource, type ApiServerSourceDeps, type ObservedApiServerSource } from "./observe.ts";
import { planApiServerSource, type FollowEffect } from "./plan.ts";
import type { ApiWatches } from "./watches.ts";

export type { MayAccount } from "./observe.ts";
export type { ToldMark } from "./known.ts";
export { ApiWatches, type SendChange } from "./watches.ts";

/** `addressables`: kinds whose objects may be sinks, and are watched for that. */
export function apiServerSourceController(
  deps: ApiServerSourceDeps & { readonly watches: ApiWatches },
  addressables: readonly Kind[],
): Controller<ApiServerSource, ObservedApiServerSource, FollowEffect> {
  const references = new ReferenceTracker();
  /** Sources that choose namespaces by labels, by `namespace/name`. */
  const choosing = new Map<string, { readonly namespace: string; readonly name: string }>();
  const namespaces: Watched = { kind: Namespace as unknown as Kind, keys: () => [...choosing.values()] };
  return {
    name: "apiserver-source-controller",
    primary: ApiServerSource,
    owns: [],
    watches: [...references.watches([...addressables, ServiceAccount as unknown as Kind]), namespaces],
    async observe(key, world) {
      const observed = await observeApiServerSource(key, world, { ...deps, references });
      const id = `${key.namespace}/${key.name}`;
      if (observed?.source.spec.namespaceSelector === undefined) choosing.delete(id);
      else choosing.set(id, key);
      return observed;
    },
    plan: planApiServerSource,
    primaryOf: ({ source }) => source,
    async runEffect({ key, config }) {
      deps.watches.follow(key, config);
    },
    forget(key) {
      references.forget(key);
      choosing.delete(`${key.namespace}/${key.name}`);
      deps.watches.stop(key);
    },
  };
}
