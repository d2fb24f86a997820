// Kinds that a cluster serves and we only write there: where they are, and no more of them.
import type { Kind, KubeObject } from "#schema";

function written<O extends KubeObject>(group: string, kind: string, plural: string): Kind<O> {
  return {
    group,
    version: "v1",
    kind,
    plural,
    singular: kind.toLowerCase(),
    shortNames: [],
    categories: [],
    scope: "Cluster",
    schema: { type: "object" },
    subresources: {},
    columns: [],
    custom: false,
    hasGeneration: true,
  };
}

/** A definition as far as its readiness is read. */
export interface WrittenDefinition extends KubeObject {
  status?: { readonly conditions?: readonly { readonly type: string; readonly status: string; readonly reason?: string; readonly message?: string }[] };
}

export const WRITTEN_DEFINITION: Kind<WrittenDefinition> = written("apiextensions.k8s.io", "CustomResourceDefinition", "customresourcedefinitions");
const GROUP = "admissionregistration.k8s.io";
export const WRITTEN_WEBHOOKS: Readonly<Record<"MutatingWebhookConfiguration" | "ValidatingWebhookConfiguration", Kind>> = {
  MutatingWebhookConfiguration: written(GROUP, "MutatingWebhookConfiguration", "mutatingwebhookconfigurations"),
  ValidatingWebhookConfiguration: written(GROUP, "ValidatingWebhookConfiguration", "validatingwebhookconfigurations"),
};
