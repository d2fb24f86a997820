// The controller of SinkBindings: tells the pods of workloads where their events go.
import { SinkBinding } from "#kinds";
import type { Controller } from "#reconcile";
import type { Kind } from "#schema";
import { ReferenceTracker, type ReferenceDeps } from "../references.ts";
import { observeBinding, type ObservedBinding } from "./observe.ts";
import { planBinding } from "./plan.ts";
import { SubjectTracker } from "./subjects.ts";

/** `addressables` may be sinks, `workloads` subjects: both are watched for that. */
export function sinkBindingController(
  deps: ReferenceDeps,
  { addressables, workloads }: { readonly addressables: readonly Kind[]; readonly workloads: readonly Kind[] },
): Controller<SinkBinding, ObservedBinding> {
  const references = new ReferenceTracker();
  const tracker = new SubjectTracker();
  return {
    name: "sinkbinding-controller",
    primary: SinkBinding,
    owns: [],
    watches: [...references.watches(addressables), ...tracker.watches(workloads)],
    observe: (key, world) => observeBinding(key, world, { ...deps, references, tracker, watched: workloads }),
    plan: planBinding,
    primaryOf: ({ binding }) => binding,
    forget(key) {
      references.forget(key);
      tracker.forget(key);
    },
  };
}
