// What a SinkBinding does to its subjects, and its status (eventing.md 1.15 and 3.4).
//
// subject                      sink         then
// missing, cannot be listed    –            SinkBindingAvailable False, conditions of all else as they were
// there                        no address   SinkProvided False, subjects stay as they are
// there                        an address   all containers get it; Ready
// any, binding is going away   –            all containers lose it, then the finalizer goes
//
// Subjects and namespaces with the label bindings.knative.dev/exclude "true" are passed over. What is owned by the same object as the
// binding goes away with it: nothing is taken out of it on the way.
import {
  BINDING_EXCLUDE,
  BINDING_FINALIZER,
  boundTemplate,
  CLUSTER_DOMAIN,
  isBindable,
  isBoundAlike,
  Namespace,
  resolveDestination,
  SinkBinding,
  sinkBindingConditions as conditions,
  templateBinding,
  unboundTemplate,
  type BindableObject,
  type SinkBindingStatus,
} from "#kinds";
import { controllerOf, type Patch, type Plan, type PlanEvent } from "#reconcile";
import { type Condition, type Kind } from "#schema";
import { beginConditions } from "../../serving/status.ts";
import { sinkStatus, type SinkAddresses } from "../sink.ts";
import type { ObservedBinding } from "./observe.ts";
import { NO_OIDC } from "../without-oidc.ts";

const INCLUDE = "bindings.knative.dev/include";

export function planBinding(observed: ObservedBinding): Plan {
  const { binding, found, find, lookAgainAtMs } = observed;
  if (binding.metadata.deletionTimestamp !== undefined) return planEnd(observed);
  const begun = beginConditions(conditions, binding);
  const { patches, events } = finalizerAdded(binding);
  const look = lookAgainAtMs === undefined ? {} : { wakeAtMs: lookAgainAtMs };
  const sink = resolveDestination(binding.spec.sink, { find, clusterDomain: CLUSTER_DOMAIN });
  if (!("subjects" in found)) {
    const { reason, message } = found;
    const marks = conditions.markFalse(begun, "SinkBindingAvailable", { reason, message });
    return { desired: undefined, patches, events, status: unboundStatus(binding, marks, "error" in sink ? {} : sinkStatus(sink.address)), failure: message };
  }
  if ("error" in sink) {
    const message = `Addressable could not be extracted from destination: ${sink.error}`;
    const marks = conditions.markFalse(begun, "SinkProvided", { reason: "NoAddressable", message });
    return { desired: undefined, patches, events, status: statusOf(binding, marks, {}), failure: sink.error };
  }
  const addresses = sinkStatus(sink.address);
  const its = templateBinding(sink.address.url, addresses, binding.spec.ceOverrides);
  const taken = found.subjects.filter((subject) => isBindable(subject, observed.namespace));
  return {
    desired: undefined,
    patches: [...patches, ...included(observed), ...taken.flatMap((subject) => subjectPatch(found.kind, subject, (spec) => boundTemplate(spec, its)))],
    events,
    status: statusOf(binding, markReady(begun), addresses),
    ...look,
  };
}

function markReady(begun: readonly Condition[]): Condition[] {
  const there = ["SinkBindingAvailable", "SinkProvided", "TrustBundlePropagated"].reduce<Condition[]>(
    (marks, type) => conditions.markTrue(marks, type),
    [...begun],
  );
  return conditions.markTrue(conditions.markTrue(there, "OIDCIdentityCreated", NO_OIDC), "OIDCTokenSecretCreated", NO_OIDC);
}

function planEnd({ binding, found }: ObservedBinding): Plan {
  const { finalizers = [], name } = binding.metadata;
  if (!finalizers.includes(BINDING_FINALIZER)) return { desired: undefined };
  const owner = controllerOf(binding)?.uid;
  const freed = !("subjects" in found)
    ? []
    : found.subjects.flatMap((subject) =>
        owner !== undefined && controllerOf(subject)?.uid === owner ? [] : subjectPatch(found.kind, subject, unboundTemplate),
      );
  const rest = finalizers.filter((finalizer) => finalizer !== BINDING_FINALIZER);
  return {
    desired: undefined,
    patches: [...freed, finalizerPatch(binding, rest)],
    events: [finalizerEvent(name)],
  };
}

/** Nothing is bound before the finalizer stands: what is bound can be undone. */
function finalizerAdded(binding: SinkBinding): { readonly patches: readonly Patch[]; readonly events: readonly PlanEvent[] } {
  const { finalizers = [], name } = binding.metadata;
  if (finalizers.includes(BINDING_FINALIZER)) return { patches: [], events: [] };
  return { patches: [finalizerPatch(binding, [...finalizers, BINDING_FINALIZER])], events: [finalizerEvent(name)] };
}

const finalizerEvent = (name: string): PlanEvent => ({ type: "Normal", reason: "FinalizerUpdate", message: `Updated ${JSON.stringify(name)} finalizers` });

function finalizerPatch({ metadata }: SinkBinding, finalizers: readonly string[]): Patch {
  const { name, namespace = "", resourceVersion } = metadata;
  return { kind: SinkBinding as unknown as Kind, namespace, name, type: "application/merge-patch+json", body: { metadata: { finalizers, resourceVersion } } };
}

/** As Knative notes on a namespace that it binds in. */
function included({ namespace }: ObservedBinding): Patch[] {
  const labels = namespace?.metadata.labels ?? {};
  if (namespace === undefined || namespace.metadata.deletionTimestamp !== undefined || BINDING_EXCLUDE in labels || INCLUDE in labels) return [];
  const body = { metadata: { labels: { [INCLUDE]: "true" } } };
  return [{ kind: Namespace as unknown as Kind, namespace: "", name: namespace.metadata.name, type: "application/merge-patch+json", body }];
}

/** Only what differs is written: lists of containers are replaced whole, so that a version is named. */
function subjectPatch(kind: Kind, subject: BindableObject, change: <P extends object>(spec: P) => P): Patch[] {
  const spec = subject.spec?.template?.spec;
  if (spec === undefined || subject.metadata.deletionTimestamp !== undefined) return [];
  const changed = change(spec);
  if (isBoundAlike(spec, changed)) return [];
  const { name, namespace = "", resourceVersion } = subject.metadata;
  const { containers, initContainers } = changed;
  const lists = { ...(containers === undefined ? {} : { containers }), ...(initContainers === undefined ? {} : { initContainers }) };
  const body = { metadata: { resourceVersion }, spec: { template: { spec: lists } } };
  return [{ kind, namespace, name, type: "application/merge-patch+json", body }];
}

/** The generation is not observed before its subject is; where events will go is told already: a ContainerSource waits for it. */
function unboundStatus({ status }: SinkBinding, marks: readonly Condition[], addresses: SinkAddresses): SinkBindingStatus {
  const { observedGeneration } = status ?? {};
  return { ...(observedGeneration === undefined ? {} : { observedGeneration }), conditions: conditions.sorted(marks), ...addresses };
}

function statusOf({ metadata: { generation } }: SinkBinding, marks: readonly Condition[], addresses: SinkAddresses): SinkBindingStatus {
  return { ...(generation === undefined ? {} : { observedGeneration: generation }), conditions: conditions.sorted(marks), ...addresses };
}
