// What the tests of this controller share: pods, what they use, and autoscalers.
import { HorizontalPodAutoscaler, type HorizontalPodAutoscalerSpec, type Pod, type PodMetrics } from "#kinds";

export const WALL = Date.UTC(2026, 0, 1, 1);
const at = (wallMs: number): string => new Date(wallMs).toISOString().replace(".000", "");

export interface PodOver {
  readonly phase?: string;
  readonly ready?: "True" | "False";
  /** Seconds before `WALL`. */
  readonly startedAgo?: number;
  readonly readyAgo?: number;
  readonly deleting?: true;
  readonly requests?: Readonly<Record<string, string>> | undefined;
  readonly labels?: Readonly<Record<string, string>>;
}

/** A pod that has been ready for a long time. */
export function pod(name: string, over: PodOver = {}): Pod {
  const { phase = "Running", ready = "True", startedAgo = 3_600, readyAgo = 3_500, labels = { app: "web" } } = over;
  const requests = "requests" in over ? over.requests : { cpu: "1", memory: "100Mi" };
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name,
      namespace: "default",
      uid: `uid-${name}`,
      resourceVersion: "1",
      creationTimestamp: at(WALL - startedAgo * 1000),
      labels,
      ...(over.deleting === true ? { deletionTimestamp: at(WALL) } : {}),
    },
    spec: { containers: [{ name: "main", ...(requests === undefined ? {} : { resources: { requests } }) }] },
    status: {
      phase,
      startTime: at(WALL - startedAgo * 1000),
      conditions: [{ type: "Ready", status: ready, lastTransitionTime: at(WALL - readyAgo * 1000) }],
    },
  } as Pod;
}

/** What the only container of a pod uses. */
export function usage(name: string, cpu: string, memory = "10Mi", wallMs = WALL): PodMetrics {
  return {
    apiVersion: "metrics.k8s.io/v1beta1",
    kind: "PodMetrics",
    metadata: { name, namespace: "default" },
    timestamp: at(wallMs),
    window: "15s",
    containers: [{ name: "main", usage: { cpu, memory } }],
  } as unknown as PodMetrics;
}

export const CPU_80: HorizontalPodAutoscalerSpec["metrics"] = [
  { type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 80 } } },
];

/** With the defaults that the server fills in, for a Deployment `web`. */
export function horizontal(over: Partial<HorizontalPodAutoscalerSpec> = {}, status?: object): HorizontalPodAutoscaler {
  const scaleTargetRef = { apiVersion: "apps/v1", kind: "Deployment", name: "web" };
  const metadata = { name: "web", namespace: "default", uid: "hpa", resourceVersion: "1", creationTimestamp: at(WALL - 60_000) };
  const spec = { scaleTargetRef, minReplicas: 1, maxReplicas: 10, metrics: CPU_80, ...over } as HorizontalPodAutoscalerSpec;
  return {
    apiVersion: "autoscaling/v2",
    kind: HorizontalPodAutoscaler.kind,
    metadata,
    spec,
    ...(status === undefined ? {} : { status }),
  } as HorizontalPodAutoscaler;
}
