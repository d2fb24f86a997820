// Decides the next step of a Deployment: which ReplicaSets there are, how large each is, and what the status says.
import { Deployment, ReplicaSet, type DeploymentCondition } from "#kinds";
import type { Child, Patch, Plan, PlanEvent, Refusal } from "#reconcile";
import type { Draft } from "#schema";
import type { ObservedDeployment } from "./observe.ts";
import { DESIRED_REPLICAS, fenceposts, isScaling, MAX_REPLICAS, newSize, scaled, shrinkOld, sizeOf, wantedOf, type Sizes } from "./rolling.ts";
import { deadlineSeconds, isComplete, statusFor } from "./status.ts";
import { byAge, newReplicaSetOf, TEMPLATE_HASH, templateHash } from "./template.ts";

const REVISION = "deployment.kubernetes.io/revision";
const REVISION_HISTORY = "deployment.kubernetes.io/revision-history";
/** Annotations of a Deployment that its ReplicaSets do not get. */
const NOT_COPIED: ReadonlySet<string> = new Set([
  "kubectl.kubernetes.io/last-applied-configuration",
  REVISION,
  REVISION_HISTORY,
  DESIRED_REPLICAS,
  MAX_REPLICAS,
  "deprecated.deployment.rollback.to",
]);

type Annotations = Readonly<Record<string, string>>;
type News = Pick<DeploymentCondition, "status" | "reason" | "message">;

function revisionOf(object: { readonly metadata: { readonly annotations?: Annotations } }): number {
  return Number(object.metadata.annotations?.[REVISION] ?? "0") || 0;
}

function copiedAnnotations(deployment: Deployment): Annotations {
  return Object.fromEntries(Object.entries(deployment.metadata.annotations ?? {}).filter(([key]) => !NOT_COPIED.has(key)));
}

function sizeAnnotations(deployment: Deployment): Annotations {
  const wanted = wantedOf(deployment);
  return { [DESIRED_REPLICAS]: String(wanted), [MAX_REPLICAS]: String(wanted + fenceposts(deployment).maxSurge) };
}

interface Draw {
  readonly draft: Draft<ReplicaSet>;
  readonly collisionCount: number;
}

/** The ReplicaSet for the present template; a name that another template has taken counts as a collision. */
function drawReplicaSet({ deployment, replicaSets }: ObservedDeployment, replicas: number, revision: number): Draw {
  let collisionCount = deployment.status?.collisionCount ?? 0;
  const nameFor = (count: number): string => `${deployment.metadata.name}-${templateHash(deployment.spec.template, count)}`;
  while (replicaSets.some((set) => set.metadata.name === nameFor(collisionCount))) collisionCount++;
  const hash = templateHash(deployment.spec.template, collisionCount);
  const { template, selector, minReadySeconds } = deployment.spec;
  const labels = { ...template.metadata?.labels, [TEMPLATE_HASH]: hash };
  const draft: Draft<ReplicaSet> = {
    apiVersion: "apps/v1",
    kind: "ReplicaSet",
    metadata: {
      name: nameFor(collisionCount),
      namespace: deployment.metadata.namespace ?? "",
      labels,
      annotations: { ...copiedAnnotations(deployment), ...sizeAnnotations(deployment), [REVISION]: String(revision) },
    },
    spec: {
      replicas,
      ...(minReadySeconds === undefined ? {} : { minReadySeconds }),
      selector: { ...selector, matchLabels: { ...selector.matchLabels, [TEMPLATE_HASH]: hash } },
      template: { ...template, metadata: { ...template.metadata, labels } },
    },
  };
  return { draft, collisionCount };
}

/** An existing ReplicaSet with what this pass changes; the same object when nothing does. */
function resized(set: ReplicaSet, of: { readonly deployment: Deployment; readonly size: number; readonly extra: Annotations }): ReplicaSet {
  const touched = of.size !== sizeOf(set) || Object.entries(of.extra).some(([key, value]) => set.metadata.annotations?.[key] !== value);
  if (!touched) return set;
  const annotations = { ...set.metadata.annotations, ...of.extra };
  return { ...set, metadata: { ...set.metadata, annotations }, spec: { ...set.spec, replicas: of.size } };
}

function childFor(wanted: ReplicaSet, current: ReplicaSet): Child<ReplicaSet> {
  return { kind: ReplicaSet, object: wanted, merge: () => (wanted === current ? undefined : wanted) };
}

function scaleEvent(name: string, from: number, to: number): PlanEvent {
  return { type: "Normal", reason: "ScalingReplicaSet", message: `Scaled ${to > from ? "up" : "down"} replica set ${name} from ${from} to ${to}` };
}

/** Annotations of the new ReplicaSet: the Deployment's, and the revision, which only grows. */
function newSetAnnotations(deployment: Deployment, newSet: ReplicaSet, revision: number): Annotations {
  const before = revisionOf(newSet);
  if (before >= revision) return copiedAnnotations(deployment);
  const history = newSet.metadata.annotations?.[REVISION_HISTORY];
  const past = before === 0 ? {} : { [REVISION_HISTORY]: history === undefined ? String(before) : `${history},${before}` };
  return { ...copiedAnnotations(deployment), ...past, [REVISION]: String(revision) };
}

/** Kubernetes' controller writes it with the status, and so becomes its manager there. */
function revisionPatch(deployment: Deployment, revision: number): readonly Patch[] {
  if (revisionOf(deployment) === revision) return [];
  const body = { metadata: { annotations: { [REVISION]: String(revision) } } };
  const { namespace = "", name } = deployment.metadata;
  return [{ kind: Deployment, namespace, name, subresource: "status", type: "application/merge-patch+json", body }];
}

/** Old, empty ReplicaSets beyond the history limit, once the Deployment is complete. */
function outdated(deployment: Deployment, oldSets: readonly ReplicaSet[]): readonly ReplicaSet[] {
  const limit = deployment.spec.revisionHistoryLimit;
  if (limit === undefined) return [];
  const empty = oldSets.filter(
    (set) =>
      sizeOf(set) === 0 &&
      (set.status?.replicas ?? 0) === 0 &&
      (set.status?.observedGeneration ?? 0) >= (set.metadata.generation ?? 0) &&
      set.metadata.deletionTimestamp === undefined,
  );
  empty.sort((a, b) => revisionOf(a) - revisionOf(b) || byAge(a, b));
  return empty.slice(0, Math.max(0, empty.length - limit));
}

function isWholeRollout({ deployment }: ObservedDeployment, newSet: ReplicaSet, oldSets: readonly ReplicaSet[]): boolean {
  const total = (of: (set: ReplicaSet) => number): number => [newSet, ...oldSets].reduce((sum, set) => sum + of(set), 0);
  const replicas = total((set) => set.status?.replicas ?? 0);
  const available = total((set) => set.status?.availableReplicas ?? 0);
  return sizeOf(newSet) === wantedOf(deployment) && isComplete(deployment, { replicas, updated: newSet.status?.replicas ?? 0, available });
}

/** Sizes of one step: scaling when `replicas` changed or the Deployment is paused, else the new set first, then the old ones. */
function stepFor({ deployment }: ObservedDeployment, newSet: ReplicaSet, oldSets: readonly ReplicaSet[]): { readonly sizes: Sizes; readonly scaling: boolean } {
  if (deployment.spec.paused === true || isScaling(deployment, [newSet, ...oldSets])) return { sizes: scaled(deployment, newSet, oldSets), scaling: true };
  const size = newSize(deployment, newSet, oldSets);
  if (size !== sizeOf(newSet)) return { sizes: new Map([[newSet, size]]), scaling: false };
  return { sizes: shrinkOld(deployment, newSet, oldSets), scaling: false };
}

function planCreation(observed: ObservedDeployment, oldSets: readonly ReplicaSet[], revision: number): Plan {
  const { deployment, nowMs } = observed;
  // Recreate waits until the old pods are gone before it makes new ones.
  const waits = deployment.spec.strategy?.type === "Recreate" && oldSets.some((set) => (set.status?.replicas ?? 0) > 0 || sizeOf(set) > 0);
  const paused = deployment.spec.paused === true;
  const size = newSize(deployment, undefined, oldSets);
  const { draft, collisionCount } = drawReplicaSet(observed, size, revision);
  const name = draft.metadata.name ?? "";
  const status = (news: News | undefined, judgeProgress: boolean): object => {
    const made = news?.status === "True" ? ({ ...draft, metadata: { ...draft.metadata, name } } as ReplicaSet) : undefined;
    return statusFor({ deployment, newSet: made, oldSets, wallMs: nowMs.wall, collisionCount, news, judgeProgress });
  };
  const sizes: Sizes =
    paused || isScaling(deployment, oldSets) ? scaled(deployment, undefined, oldSets) : waits ? new Map(oldSets.map((set) => [set, 0])) : new Map();
  const extra = sizeAnnotations(deployment);
  const old = oldSets.map((set) => childFor(sizes.has(set) ? resized(set, { deployment, size: sizes.get(set) ?? 0, extra }) : set, set));
  const scaledOld = [...sizes].filter(([set, to]) => to !== sizeOf(set)).map(([set, to]) => scaleEvent(set.metadata.name, sizeOf(set), to));
  if (waits || paused || sizes.size > 0) return { desired: old, status: status(undefined, !paused), events: scaledOld };
  const child: Child<ReplicaSet> = { kind: ReplicaSet, object: draft };
  return {
    desired: [...old, child],
    patches: revisionPatch(deployment, revision),
    status: status({ status: "True", reason: "NewReplicaSetCreated", message: `Created new replica set "${name}"` }, true),
    events: size > 0 ? [scaleEvent(name, 0, size)] : [],
    afterRefusal: (refusals: readonly Refusal[]) => {
      const message = `Failed to create new replica set "${name}": ${refusals[0]?.error.message ?? ""}`;
      const failed: News = { status: "False", reason: "ReplicaSetCreateError", message };
      return { status: status(failed, false), events: [{ type: "Warning", reason: "ReplicaSetCreateError", message }] };
    },
  };
}

/** Monotonic time at which the progress deadline is over; one second later than counted, since times have seconds. */
function deadlineMs({ deployment, nowMs }: ObservedDeployment, conditions: readonly DeploymentCondition[]): number | undefined {
  const seconds = deadlineSeconds(deployment);
  const progressing = conditions.find(({ type }) => type === "Progressing");
  if (seconds === undefined || progressing?.status !== "True" || progressing.reason === "NewReplicaSetAvailable") return undefined;
  return nowMs.monotonic + Math.max(0, Date.parse(progressing.lastUpdateTime ?? "") + (seconds + 1) * 1000 - nowMs.wall);
}

export function planDeployment(observed: ObservedDeployment): Plan {
  const { deployment, replicaSets, nowMs } = observed;
  const newSet = newReplicaSetOf(deployment, replicaSets);
  const oldSets = replicaSets.filter((set) => set !== newSet);
  const collisionCount = deployment.status?.collisionCount ?? 0;
  const base = { deployment, newSet, oldSets, wallMs: nowMs.wall, collisionCount };
  if (deployment.metadata.deletionTimestamp !== undefined) return { desired: undefined, status: statusFor({ ...base, news: undefined, judgeProgress: false }) };

  const revision = Math.max(0, ...oldSets.map(revisionOf)) + 1;
  if (newSet === undefined) {
    const creation = planCreation(observed, oldSets, revision);
    const wakeAtMs = deadlineMs(observed, (creation.status as { readonly conditions: readonly DeploymentCondition[] }).conditions);
    return wakeAtMs === undefined ? creation : { ...creation, wakeAtMs };
  }

  const { sizes, scaling } = stepFor(observed, newSet, oldSets);
  const settled = !scaling && sizes.size === 0 && isWholeRollout(observed, newSet, oldSets);
  const gone = settled ? outdated(deployment, oldSets) : [];
  const extra = sizeAnnotations(deployment);
  const children = [newSet, ...oldSets]
    .filter((set) => !gone.includes(set))
    .map((set) => {
      const size = sizes.get(set);
      const own = set === newSet ? newSetAnnotations(deployment, set, revision) : {};
      const counted = size !== undefined || set === newSet ? extra : {};
      return childFor(resized(set, { deployment, size: size ?? sizeOf(set), extra: { ...own, ...counted } }), set);
    });
  const known = deployment.status?.conditions?.some(({ type }) => type === "Progressing") === true;
  const found: News = { status: "True", reason: "FoundNewReplicaSet", message: `Found new replica set "${newSet.metadata.name}"` };
  const news = known || deadlineSeconds(deployment) === undefined ? undefined : found;
  const status = statusFor({ ...base, news, judgeProgress: !scaling });
  const wakeAtMs = deadlineMs(observed, status.conditions ?? []);
  return {
    desired: children,
    patches: revisionPatch(deployment, Math.max(revision, revisionOf(newSet))),
    status,
    events: [...sizes].filter(([set, to]) => to !== sizeOf(set)).map(([set, to]) => scaleEvent(set.metadata.name, sizeOf(set), to)),
    ...(wakeAtMs === undefined ? {} : { wakeAtMs }),
  };
}
