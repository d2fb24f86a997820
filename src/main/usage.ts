// What pods and the node use: objects of metrics.k8s.io that are made when somebody reads them.
import type { MadeObjects } from "#apiserver";
import type { Client } from "#client";
import type { Clock } from "#core";
import { ClusterNode, nodeMetricsOf, Pod, podMetricsOf } from "#kinds";
import { UsageMeter, type PodUsage } from "#runtimes";

export interface UsageTools {
  readonly client: () => Client;
  readonly runtime: () => PodUsage;
  readonly clock: Clock;
  readonly nodeName: string;
  readonly machine: () => { readonly cpuNanos: number; readonly memoryBytes: number };
  /** Ends what waits. */
  readonly signal: AbortSignal;
}

export interface UsageObjects {
  readonly pods: MadeObjects;
  readonly nodes: MadeObjects;
}

export function usageObjects({ client, runtime, clock, nodeName, machine, signal }: UsageTools): UsageObjects {
  const meter = new UsageMeter(clock);
  const pods: MadeObjects = {
    async read({ namespace, name }) {
      const all = name === "" ? (await client().list(Pod, namespace === "" ? {} : { namespace })).items : [await client().find(Pod, namespace, name)];
      const running = all.filter((pod) => pod?.status?.phase === "Running").filter((pod) => pod !== undefined);
      const measured = running.map((pod) => ({ id: pod.metadata.uid, read: () => runtime().usageOf(pod) }));
      const rates = await meter.measure(measured, signal);
      return running.flatMap((pod) => {
        const rate = rates.get(pod.metadata.uid);
        return rate === undefined ? [] : [podMetricsOf(pod, rate, clock.wallMs())];
      });
    },
  };
  const nodes: MadeObjects = {
    async read() {
      const node = await client().find(ClusterNode, "", nodeName);
      const read = async () => [{ name: nodeName, ...machine(), atMs: clock.monotonicMs() }];
      const rate = (await meter.measure([{ id: nodeName, read }], signal)).get(nodeName);
      return node === undefined || rate === undefined ? [] : [nodeMetricsOf(node, rate, clock.wallMs())];
    },
  };
  return { pods, nodes };
}
