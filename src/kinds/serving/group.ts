// What the kinds of each Knative API group have in common.

/** Labels of every CRD; the release is that of Knative whose API this is. */
const CRD_LABELS: Readonly<Record<string, string>> = {
  "app.kubernetes.io/name": "knative-serving",
  "app.kubernetes.io/version": "1.23.0",
  "knative.dev/crd-install": "true",
};

const ADDRESSABLE = { "duck.knative.dev/addressable": "true" };
const PODSPECABLE = { "duck.knative.dev/podspecable": "true" };

export const servingGroup = { group: "serving.knative.dev", version: "v1", categories: ["all", "knative", "serving"] } as const;

export const autoscalingGroup = {
  group: "autoscaling.internal.knative.dev",
  version: "v1alpha1",
  categories: ["knative-internal", "autoscaling"],
  labels: CRD_LABELS,
} as const;

export const networkingGroup = {
  group: "networking.internal.knative.dev",
  version: "v1alpha1",
  categories: ["knative-internal", "networking"],
  labels: { ...CRD_LABELS, "app.kubernetes.io/component": "networking" },
} as const;

export const cachingGroup = {
  group: "caching.internal.knative.dev",
  version: "v1alpha1",
  categories: ["knative-internal", "caching"],
  labels: CRD_LABELS,
} as const;

/** CRD labels of the serving kinds by what they can be used as. */
export const servingLabels = {
  plain: CRD_LABELS,
  addressable: { ...CRD_LABELS, ...ADDRESSABLE },
  podspecable: { ...CRD_LABELS, ...PODSPECABLE },
  both: { ...CRD_LABELS, ...ADDRESSABLE, ...PODSPECABLE },
} as const;
