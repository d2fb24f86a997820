// ReplicaSet of apps/v1: so many pods of one template.
import type { Column, Kind } from "#schema";
import { builtin } from "../core/builtin.ts";
import { age, templateColumns } from "../core/columns.ts";
import { podSpecWarnings } from "../core/pod-warnings.ts";
import { definitions } from "./definitions.ts";
import { countErrors, templateDefaults, workloadErrors } from "./template.ts";
import type { ReplicaSet as ReplicaSetObject } from "./v1.types.ts";

export type ReplicaSet = ReplicaSetObject;

const cell =
  (read: (set: ReplicaSet) => number): NonNullable<Column["cell"]> =>
  (object) =>
    read(object as ReplicaSet);

const columns: readonly Column[] = [
  { name: "Desired", type: "integer", cell: cell(({ spec }) => spec.replicas ?? 0) },
  { name: "Current", type: "integer", cell: cell(({ status }) => status?.replicas ?? 0) },
  { name: "Ready", type: "integer", cell: cell(({ status }) => status?.readyReplicas ?? 0) },
  age,
  ...templateColumns,
];

export const ReplicaSet: Kind<ReplicaSet> = builtin<ReplicaSet>({
  group: "apps",
  kind: "ReplicaSet",
  plural: "replicasets",
  shortNames: ["rs"],
  categories: ["all"],
  definitions,
  metadataChecks: { update: true, object: false, finalizers: true },
  definition: "io.k8s.api.apps.v1.ReplicaSet",
  hasGeneration: true,
  subresources: { status: true, scale: { specReplicasPath: ".spec.replicas", statusReplicasPath: ".status.replicas", labelSelectorPath: ".spec.selector" } },
  blank: { spec: { replicas: 0, selector: null, template: { metadata: {}, spec: { containers: null } } }, status: { replicas: 0 } },
  columns,
  defaultObject(set) {
    const spec = set.spec ?? { selector: {} };
    const template = spec.template === undefined ? undefined : templateDefaults(spec.template);
    const status = set.status ?? { replicas: 0 };
    if (spec.replicas !== undefined && template === spec.template && status === set.status) return set;
    return { ...set, status, spec: { ...spec, replicas: spec.replicas ?? 1, ...(template === undefined ? {} : { template }) } };
  },
  warnings: (set) => podSpecWarnings("spec.template.spec", set.spec?.template?.spec ?? { containers: [] }),
  validate: (set, old) => [...workloadErrors(set.spec, old?.spec), ...(old === undefined ? [] : countErrors(set.status))],
});
