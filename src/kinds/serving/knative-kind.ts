// What all custom kinds of Knative Serving have in common as definitions.
import type { Kind, KubeObject } from "#schema";
import { CRD_LABELS, NETWORKING_CRD_LABELS } from "./columns.ts";

type Particulars<O extends KubeObject> = Pick<Kind<O>, "kind" | "plural" | "columns" | "schema"> & {
  readonly shortNames?: readonly string[];
  readonly scope?: Kind["scope"];
  readonly labels?: Readonly<Record<string, string>>;
  /** False for the one kind without status. */
  readonly status?: boolean;
};

interface Group {
  readonly group: string;
  readonly version: string;
  readonly categories: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
}

const SERVING: Group = { group: "serving.knative.dev", version: "v1", categories: ["all", "knative", "serving"], labels: CRD_LABELS };
const AUTOSCALING: Group = {
  group: "autoscaling.internal.knative.dev",
  version: "v1alpha1",
  categories: ["knative-internal", "autoscaling"],
  labels: CRD_LABELS,
};
const NETWORKING: Group = {
  group: "networking.internal.knative.dev",
  version: "v1alpha1",
  categories: ["knative-internal", "networking"],
  labels: NETWORKING_CRD_LABELS,
};
const CACHING: Group = { group: "caching.internal.knative.dev", version: "v1alpha1", categories: ["knative-internal", "caching"], labels: CRD_LABELS };

function kindIn<O extends KubeObject>(group: Group, its: Particulars<O>): Kind<O> {
  return {
    group: group.group,
    version: group.version,
    kind: its.kind,
    plural: its.plural,
    singular: its.kind.toLowerCase(),
    shortNames: its.shortNames ?? [],
    categories: group.categories,
    scope: its.scope ?? "Namespaced",
    schema: its.schema,
    subresources: its.status === false ? {} : { status: true },
    columns: its.columns,
    custom: true,
    hasGeneration: true,
    labels: { ...group.labels, ...its.labels },
  };
}

export const servingKind = <O extends KubeObject>(its: Particulars<O>): Kind<O> => kindIn(SERVING, its);
export const autoscalingKind = <O extends KubeObject>(its: Particulars<O>): Kind<O> => kindIn(AUTOSCALING, its);
export const networkingKind = <O extends KubeObject>(its: Particulars<O>): Kind<O> => kindIn(NETWORKING, its);
export const cachingKind = <O extends KubeObject>(its: Particulars<O>): Kind<O> => kindIn(CACHING, its);
