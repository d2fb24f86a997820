// What can be posted to a pod: an Eviction, which deletes it, and a Binding, which gives it a node.
import { conflict, unknownFailure } from "#core";
import type { Kind, KubeObject, Node } from "#schema";
import { builtin } from "./builtin.ts";
import { definitions } from "./definitions.ts";
import type { Pod } from "./v1.types.ts";

const text = (proto: number): Node => ({ type: "string", "x-eider-proto": proto });

const EVICTION = "io.k8s.api.policy.v1.Eviction";
const OPTIONS = "io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions";
const BINDING = "io.k8s.api.core.v1.Binding";
const REFERENCE = "io.k8s.api.core.v1.ObjectReference";

const own: Readonly<Record<string, Node>> = {
  [EVICTION]: { type: "object", properties: { deleteOptions: { $ref: OPTIONS, "x-eider-proto": 2 } } },
  [OPTIONS]: {
    type: "object",
    properties: {
      apiVersion: { type: "string" },
      kind: { type: "string" },
      gracePeriodSeconds: { type: "integer", format: "int64", "x-eider-proto": 1 },
      preconditions: { type: "object", properties: { uid: text(1), resourceVersion: text(2) }, "x-eider-proto": 2 },
      orphanDependents: { type: "boolean", "x-eider-proto": 3 },
      propagationPolicy: text(4),
      dryRun: { type: "array", items: { type: "string" }, "x-eider-proto": 5 },
      ignoreStoreReadErrorWithClusterBreakingPotential: { type: "boolean", "x-eider-proto": 6 },
    },
  },
  [BINDING]: { type: "object", properties: { target: { $ref: REFERENCE, "x-eider-proto": 2, "x-eider-zero": "keep" } } },
};

export interface Eviction extends KubeObject {
  readonly deleteOptions?: { readonly gracePeriodSeconds?: number } & Readonly<Record<string, unknown>>;
}

export interface Binding extends KubeObject {
  readonly target: { readonly kind?: string; readonly name?: string };
}

export const Eviction: Kind<Eviction> = builtin<Eviction>({
  group: "policy",
  kind: "Eviction",
  plural: "evictions",
  definitions: { ...definitions, ...own },
  definition: EVICTION,
  columns: [],
});

export const Binding: Kind<Binding> = builtin<Binding>({
  group: "",
  kind: "Binding",
  plural: "bindings",
  definitions: { ...definitions, ...own },
  definition: BINDING,
  columns: [],
});

/** The options of the deletion that an eviction asks for; a grace below nothing is the shortest there is. */
export function evicted({ deleteOptions = {} }: Eviction): object {
  const { gracePeriodSeconds, ...rest } = deleteOptions;
  return gracePeriodSeconds === undefined ? rest : { ...rest, gracePeriodSeconds: gracePeriodSeconds < 0 ? 1 : gracePeriodSeconds };
}

/** The pod on the node that a binding names. Throws in Kubernetes' words, which give no reason for what is wrong with a binding. */
export function bound({ target, metadata }: Binding): (pod: Pod, now: string) => Pod {
  const { kind = "", name = "" } = target;
  if (kind !== "" && kind !== "Node") throw unknownFailure(`target.kind: Unsupported value: ${JSON.stringify(kind)}: supported values: "Node", "<empty>"`);
  if (name === "") throw unknownFailure("target.name: Required value");
  return (pod, now) => {
    const refuse = (why: string): Error => conflict({ group: "", resource: "pods/binding" }, pod.metadata.name, why);
    if (pod.metadata.deletionTimestamp !== undefined) throw refuse(`pod ${pod.metadata.name} is being deleted, cannot be assigned to a host`);
    const { nodeName = "", schedulingGates = [] } = pod.spec;
    if (nodeName !== "") throw refuse(`pod ${pod.metadata.name} is already assigned to node ${JSON.stringify(nodeName)}`);
    if (schedulingGates.length > 0) throw refuse(`pod ${pod.metadata.name} has non-empty .spec.schedulingGates`);
    const { annotations = {} } = metadata;
    const merged = { ...pod.metadata.annotations, ...annotations };
    const conditions = [
      ...(pod.status?.conditions ?? []).filter(({ type }) => type !== "PodScheduled"),
      { type: "PodScheduled", status: "True", lastProbeTime: null, lastTransitionTime: now },
    ];
    return {
      ...pod,
      metadata: { ...pod.metadata, ...(Object.keys(merged).length === 0 ? {} : { annotations: merged }) },
      spec: { ...pod.spec, nodeName: name },
      status: { ...pod.status, conditions } as NonNullable<Pod["status"]>,
    };
  };
}
