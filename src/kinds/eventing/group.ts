// What the kinds of Knative Eventing have in common: groups, labels of their definitions, columns (eventing.md §0.1).
import type { Column } from "#schema";

/** Labels of every CRD; the release is that of Knative whose API this is. */
const CRD_LABELS: Readonly<Record<string, string>> = {
  "app.kubernetes.io/name": "knative-eventing",
  "app.kubernetes.io/version": "1.22.0",
  "knative.dev/crd-install": "true",
};

export const eventingGroup = { group: "eventing.knative.dev", version: "v1", categories: ["all", "knative", "eventing"], labels: CRD_LABELS } as const;

/** CRD labels by what the kinds can be used as. */
export const eventingLabels = {
  plain: CRD_LABELS,
  addressable: { ...CRD_LABELS, "duck.knative.dev/addressable": "true" },
} as const;

const text = (name: string, path: string): Column => ({ name, type: "string", path });

export const AGE: Column = { name: "Age", type: "date", path: ".metadata.creationTimestamp" };
export const READY: readonly Column[] = [
  text("Ready", '.status.conditions[?(@.type=="Ready")].status'),
  text("Reason", '.status.conditions[?(@.type=="Ready")].reason'),
];
export const ADDRESS_URL = text("URL", ".status.address.url");
