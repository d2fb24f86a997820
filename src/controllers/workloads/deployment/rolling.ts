// How many replicas each ReplicaSet of a Deployment gets in the next step.
import type { Deployment, ReplicaSet } from "#kinds";
import { byAge } from "./template.ts";

export const DESIRED_REPLICAS = "deployment.kubernetes.io/desired-replicas";
export const MAX_REPLICAS = "deployment.kubernetes.io/max-replicas";

/** A wanted size; ReplicaSets that are not in the map keep theirs. */
export type Sizes = ReadonlyMap<ReplicaSet, number>;

export function sizeOf(set: ReplicaSet): number {
  return set.spec.replicas ?? 1;
}

export function wantedOf(deployment: Deployment): number {
  return deployment.spec.replicas ?? 1;
}

function resolve(value: number | string | undefined, of: { readonly total: number; readonly roundUp: boolean }): number {
  if (typeof value !== "string") return value ?? 0;
  const share = (Number.parseInt(value, 10) * of.total) / 100;
  return of.roundUp ? Math.ceil(share) : Math.floor(share);
}

export function isRolling(deployment: Deployment): boolean {
  return deployment.spec.strategy?.type !== "Recreate";
}

/** Surge rounds up, unavailable rounds down; were both 0 nothing could move, so one may be unavailable. */
export function fenceposts(deployment: Deployment): { readonly maxSurge: number; readonly maxUnavailable: number } {
  if (!isRolling(deployment)) return { maxSurge: 0, maxUnavailable: 0 };
  const total = wantedOf(deployment);
  const { maxSurge = "25%", maxUnavailable = "25%" } = deployment.spec.strategy?.rollingUpdate ?? {};
  const surge = resolve(maxSurge, { total, roundUp: true });
  const unavailable = resolve(maxUnavailable, { total, roundUp: false });
  return { maxSurge: surge, maxUnavailable: Math.min(total, surge === 0 && unavailable === 0 ? 1 : unavailable) };
}

const sum = (sets: readonly ReplicaSet[], of: (set: ReplicaSet) => number): number => sets.reduce((total, set) => total + of(set), 0);
const availableOf = (set: ReplicaSet): number => set.status?.availableReplicas ?? 0;

/** The size of the ReplicaSet of the present template: up within the surge, down at once. */
export function newSize(deployment: Deployment, newSet: ReplicaSet | undefined, oldSets: readonly ReplicaSet[]): number {
  const wanted = wantedOf(deployment);
  const size = newSet === undefined ? 0 : sizeOf(newSet);
  if (size >= wanted || !isRolling(deployment)) return wanted;
  const room = wanted + fenceposts(deployment).maxSurge - size - sum(oldSets, sizeOf);
  return size + Math.max(0, Math.min(room, wanted - size));
}

/** Old ReplicaSets shrink by their unhealthy pods first, then as far as enough stay available. */
export function shrinkOld(deployment: Deployment, newSet: ReplicaSet, oldSets: readonly ReplicaSet[]): Sizes {
  const sizes = new Map<ReplicaSet, number>();
  const old = oldSets.filter((set) => sizeOf(set) > 0).sort(byAge);
  if (!isRolling(deployment)) return new Map(old.map((set) => [set, 0]));
  const minAvailable = wantedOf(deployment) - fenceposts(deployment).maxUnavailable;
  const newUnavailable = sizeOf(newSet) - availableOf(newSet);
  let unhealthy = sizeOf(newSet) + sum(old, sizeOf) - minAvailable - newUnavailable;
  if (unhealthy <= 0) return sizes;
  for (const set of old) {
    const cut = Math.min(unhealthy, Math.max(0, sizeOf(set) - availableOf(set)));
    if (cut > 0) sizes.set(set, sizeOf(set) - cut);
    unhealthy -= cut;
  }
  let spare = availableOf(newSet) + sum(old, availableOf) - minAvailable;
  for (const set of old) {
    const size = sizes.get(set) ?? sizeOf(set);
    const cut = Math.min(spare, size);
    if (cut > 0) {
      sizes.set(set, size - cut);
      spare -= cut;
    }
  }
  return sizes;
}

/** Whether `replicas` changed since the ReplicaSets were sized: such a change is spread, not rolled out. */
export function isScaling(deployment: Deployment, replicaSets: readonly ReplicaSet[]): boolean {
  return replicaSets.some((set) => {
    const desired = set.metadata.annotations?.[DESIRED_REPLICAS];
    return sizeOf(set) > 0 && desired !== undefined && Number(desired) !== wantedOf(deployment);
  });
}

/** Sizes after a change of `replicas` or while paused: all to the one active set, or in proportion over several. */
export function scaled(deployment: Deployment, newSet: ReplicaSet | undefined, oldSets: readonly ReplicaSet[]): Sizes {
  const wanted = wantedOf(deployment);
  const all = newSet === undefined ? [...oldSets] : [newSet, ...oldSets];
  const active = all.filter((set) => sizeOf(set) > 0);
  if (active.length <= 1) {
    const only = active[0] ?? newSet ?? [...oldSets].sort(byAge).at(-1);
    return only === undefined ? new Map() : new Map([[only, wanted]]);
  }
  if (
    newSet !== undefined &&
    sizeOf(newSet) === wanted &&
    Number(newSet.metadata.annotations?.[DESIRED_REPLICAS]) === wanted &&
    availableOf(newSet) === wanted
  ) {
    return new Map(oldSets.filter((set) => sizeOf(set) > 0).map((set) => [set, 0]));
  }
  return isRolling(deployment) ? inProportion(deployment, active) : new Map();
}

function inProportion(deployment: Deployment, active: readonly ReplicaSet[]): Sizes {
  const wanted = wantedOf(deployment);
  const allowed = wanted > 0 ? wanted + fenceposts(deployment).maxSurge : 0;
  const toAdd = allowed - sum(active, sizeOf);
  // Growing favours the newer of equal sets, shrinking the older.
  const order = [...active].sort((a, b) => sizeOf(b) - sizeOf(a) || (toAdd > 0 ? byAge(b, a) : byAge(a, b)));
  const sizes = new Map<ReplicaSet, number>();
  let added = 0;
  for (const set of order) {
    const before = Number(set.metadata.annotations?.[MAX_REPLICAS] ?? deployment.status?.replicas ?? 0) || sum(active, sizeOf);
    const fraction = Math.round((sizeOf(set) * allowed) / before) - sizeOf(set);
    const rest = toAdd - added;
    const change = toAdd > 0 ? Math.max(0, Math.min(fraction, rest)) : Math.min(0, Math.max(fraction, rest));
    sizes.set(set, sizeOf(set) + change);
    added += change;
  }
  const [first] = order;
  if (first !== undefined) sizes.set(first, Math.max(0, (sizes.get(first) ?? 0) + toAdd - added));
  return sizes;
}
