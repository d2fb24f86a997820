// The autoscaler's gauges (serving.md 3.7) as OpenTelemetry's exporter names them for Prometheus, read when they are asked for.
import type { Labels, MetricRegistry } from "#telemetry";
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
  ["kn_revision_rps_stable_per_second", "Requests per second over the stable window.", ({ metric, values }) => (metric === "rps" ? values?.stable : undefined)],
  ["kn_revision_rps_panic_per_second", "Requests per second over the panic window.", ({ metric, values }) => (metric === "rps" ? values?.panic : undefined)],
  ["kn_revision_rps_target_per_second", "Requests per second wanted for each pod.", ({ metric, target }) => (metric === "rps" ? target : undefined)],
];

/** The Service and the Configuration of a revision (`namespace/name`). */
export type NamesOf = (key: string) => { readonly service: string; readonly configuration: string };

/** Registers the gauges; a revision that is gone has none. */
export function publishDeciders(registry: MetricRegistry, deciders: Deciders, namesOf: NamesOf): void {
  let snapshots: readonly RevisionSnapshot[] = [];
  registry.onCollect(() => void (snapshots = [...deciders.snapshots()]));
  for (const [name, help, valueOf] of GAUGES) {
    registry.observe(name, help, () =>
      snapshots.flatMap((snapshot) => {
        const value = valueOf(snapshot);
        return value === undefined ? [] : [[labelsOf(snapshot.key, namesOf), value] as const];
      }),
    );
  }
}

function labelsOf(key: string, namesOf: NamesOf): Labels {
  const [namespace = "", revision = ""] = key.split("/");
  const { service, configuration } = namesOf(key);
  return { k8s_namespace_name: namespace, kn_configuration_name: configuration, kn_revision_name: revision, kn_service_name: service };
}
