// Decides the phase of a namespace and, once it is deleted, what still has to go before it may.
import type { Namespace } from "#kinds";
import type { Plan } from "#reconcile";
import type { Kind } from "#schema";
import type { Leftover, ObservedNamespace } from "./observe.ts";

const FINALIZER = "kubernetes";
/** While objects with finalizers or a grace period are left, the namespace is looked at again after this time. */
const LOOK_AGAIN_MS = 250;

export type NamespaceEffect =
  | { readonly do: "delete"; readonly kind: Kind; readonly namespace: string; readonly name: string; readonly uid: string }
  /** Writes the namespace without our finalizer; the server then removes it. */
  | { readonly do: "finalize"; readonly namespace: Namespace };

function deletion({ kind, namespace, name, uid }: Leftover): NamespaceEffect {
  return { do: "delete", kind, namespace, name, uid };
}

export function planNamespace({ namespace, leftovers, nowMs }: ObservedNamespace): Plan<NamespaceEffect> {
  if (namespace.metadata.deletionTimestamp === undefined) {
    return { desired: undefined, status: { ...namespace.status, phase: namespace.status?.phase ?? "Active" } };
  }
  const status = { ...namespace.status, phase: "Terminating" };
  const finalizers = namespace.spec?.finalizers ?? [];
  if (leftovers.length > 0) {
    const effects = leftovers.filter(({ deleting }) => !deleting).map(deletion);
    return { desired: undefined, status, effects, wakeAtMs: nowMs.monotonic + LOOK_AGAIN_MS };
  }
  if (!finalizers.includes(FINALIZER)) return { desired: undefined, status };
  const finalized = { ...namespace, spec: { ...namespace.spec, finalizers: finalizers.filter((finalizer) => finalizer !== FINALIZER) } };
  return { desired: undefined, effects: [{ do: "finalize", namespace: finalized }] };
}
