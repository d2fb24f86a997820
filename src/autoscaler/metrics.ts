// The autoscaler's gauges (serving.md 3.7) in Prometheus' names, read when they are asked for.
import type { MetricRegistry } from "#telemetry";
import type { Deciders, RevisionSnapshot } from "./deciders.ts";

const GAUGES: readonly (readonly [name: string, help: string, value: (of: RevisionSnapshot) => number | undefined])[] = [
  ["kn_revision_pods_desired", "Pods that the autoscaler wants; -1 is unknown.", ({ desired }) => desired],
  ["kn_revision_pods_count", "Pods that are ready.", ({ ready }) => ready],
  [
    "kn_revision_capacity_excess",
    "Burst capacity beyond the target; below 0 the activator stays in the path.",
    ({ excessBurstCapacity }) => excessBurstCapacity,
  ],
  ["kn_revision_panic_mode", "1 while the autoscaler panics.", ({ panicking }) => Number(panicking)],
  [
    "kn_revision_concurrency_stable",
    "Average concurrency over the stable window.",
    ({ metric, values }) => (metric === "concurrency" ? values?.stable : undefined),
  ],
  [
    "kn_revision_concurrency_panic",
    "Average concurrency over the panic window.",
    ({ metric, values }) => (metric === "concurrency" ? values?.panic : undefined),
  ],
  ["kn_revision_concurrency_target", "Concurrency wanted for each pod.", ({ metric, target }) => (metric === "concurrency" ? target : undefined)],
  ["kn_revision_rps_stable", "Requests per second over the stable window.", ({ metric, values }) => (metric === "rps" ? values?.stable : undefined)],
  ["kn_revision_rps_panic", "Requests per second over the panic window.", ({ metric, values }) => (metric === "rps" ? values?.panic : undefined)],
  ["kn_revision_rps_target", "Requests per second wanted for each pod.", ({ metric, target }) => (metric === "rps" ? target : undefined)],
];

/** Registers the gauges; each is labelled with the revision's namespace and name. */
export function publishDeciders(registry: MetricRegistry, deciders: Deciders): void {
  const gauges = GAUGES.map(([name, help, value]) => ({ set: registry.gauge(name, help), value }));
  registry.onCollect(() => {
    for (const snapshot of deciders.snapshots()) {
      const [namespace = "", revision = ""] = snapshot.key.split("/");
      const labels = { k8s_namespace_name: namespace, kn_revision_name: revision };
      for (const { set, value } of gauges) {
        const now = value(snapshot);
        if (now !== undefined) set(now, labels);
      }
    }
  });
}
