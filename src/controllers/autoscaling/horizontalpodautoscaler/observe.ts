// Reads what a HorizontalPodAutoscaler decides by: its target's scale, the pods, and what they use.
import { HorizontalPodAutoscaler, Pod, PodMetrics } from "#kinds";
import type { ShellWorld } from "#reconcile";
import { equal, formatLabelSelector, matchesLabels, parseLabelSelector, requirementsOf, type Kind, type LabelRequirements, type ObjectKey } from "#schema";
import type { Memory } from "./memory.ts";

/** Kubernetes looks every fifteen seconds. */
export const PERIOD_MS = 15_000;

/** What a scale tells. */
export interface Target {
  readonly kind: Kind;
  readonly replicas: number;
  /** As text; "" when the target has none. */
  readonly selector: string;
  readonly requirements: LabelRequirements;
  readonly pods: readonly Pod[];
  readonly measured: readonly PodMetrics[];
}

export interface ObservedHorizontal {
  readonly autoscaler: HorizontalPodAutoscaler;
  readonly nowMs: { readonly monotonic: number; readonly wall: number };
  readonly memory: Memory | undefined;
  /** A text says why there is no scale; undefined while nothing is to be decided, because that was done a moment ago. */
  readonly target: Target | string | undefined;
  /** Other autoscalers of the namespace that have some of the pods, too. */
  readonly rivals: readonly string[];
}

export interface HorizontalTools {
  /** Kinds with a scale. */
  readonly scalable: () => readonly Kind[];
  readonly memories: ReadonlyMap<string, Memory>;
}

function valueAt(object: unknown, path: string | undefined): unknown {
  const names = (path ?? "").split(".").filter((name) => name !== "");
  return names.reduce<unknown>((value, name) => (value as Readonly<Record<string, unknown>> | undefined)?.[name], object);
}

/** A scale's selector: objects have it as Kubernetes' own kinds do, or as text. */
function requirementsAt(object: unknown, path: string | undefined): LabelRequirements {
  const selector = path === undefined ? undefined : valueAt(object, path);
  if (typeof selector === "string") return parseLabelSelector(selector);
  return requirementsOf((selector ?? undefined) as Parameters<typeof requirementsOf>[0]) ?? [];
}

async function observeTarget(autoscaler: HorizontalPodAutoscaler, { client }: ShellWorld, scalable: readonly Kind[]): Promise<Target | string> {
  const { apiVersion = "", kind: kindName, name } = autoscaler.spec.scaleTargetRef;
  const { namespace = "" } = autoscaler.metadata;
  const group = apiVersion.includes("/") ? (apiVersion.split("/")[0] ?? "") : "";
  const kind = scalable.find((one) => one.group === group && one.kind === kindName);
  if (kind === undefined) return `no matches for kind ${JSON.stringify(kindName)} in group ${JSON.stringify(group)}`;
  const object = await client.find(kind, namespace, name);
  if (object === undefined) return `${kind.plural}${kind.group === "" ? "" : `.${kind.group}`} ${JSON.stringify(name)} not found`;
  const { scale } = kind.subresources;
  const requirements = requirementsAt(object, scale?.labelSelectorPath);
  const replicas = Number(valueAt(object, scale?.specReplicasPath) ?? 0);
  const selector = formatLabelSelector(requirements);
  if (selector === "") return { kind, replicas, selector, requirements, pods: [], measured: [] };
  const { items: pods } = await client.list(Pod, { namespace, labelSelector: selector });
  // One by one: nobody but these pods is looked at.
  const measured = await Promise.all(pods.map((pod) => client.find(PodMetrics, namespace, pod.metadata.name)));
  return { kind, replicas, selector, requirements, pods, measured: measured.filter((one) => one !== undefined) };
}

/** `NAMESPACE/NAME` of the others that were seen to select one of the pods. */
function rivalsOf(own: string, pods: readonly Pod[], namespace: string, memories: HorizontalTools["memories"]): readonly string[] {
  const others = [...memories].filter(([key]) => key !== own && key.startsWith(`${namespace}/`));
  return others.filter(([, { selector }]) => selector !== undefined && pods.some((pod) => matchesLabels(selector, pod.metadata.labels))).map(([key]) => key);
}

export async function observeHorizontal(key: ObjectKey, world: ShellWorld, tools: HorizontalTools): Promise<ObservedHorizontal | undefined> {
  const autoscaler = await world.client.find(HorizontalPodAutoscaler, key.namespace, key.name);
  if (autoscaler === undefined || autoscaler.metadata.deletionTimestamp !== undefined) return undefined;
  const own = `${key.namespace}/${key.name}`;
  const known = tools.memories.get(own);
  const memory = known?.uid === autoscaler.metadata.uid ? known : undefined;
  const { nowMs } = world;
  if (memory !== undefined && nowMs.monotonic < memory.decidedAtMs + PERIOD_MS && equal(memory.spec, autoscaler.spec))
    return { autoscaler, nowMs, memory, target: undefined, rivals: [] };
  const target = await observeTarget(autoscaler, world, tools.scalable());
  const rivals = typeof target === "string" ? [] : rivalsOf(own, target.pods, key.namespace, tools.memories);
  return { autoscaler, nowMs, memory, target, rivals };
}
