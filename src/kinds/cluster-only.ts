// Kinds that a cluster serves and we only write there: where they are, and no more of them.
import type { Kind } from "#schema";

function written(group: string, kind: string, plural: string): Kind {
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

const REGISTRATION = "admissionregistration.k8s.io";

export const WRITTEN = {
  MutatingWebhookConfiguration: written(REGISTRATION, "MutatingWebhookConfiguration", "mutatingwebhookconfigurations"),
  ValidatingWebhookConfiguration: written(REGISTRATION, "ValidatingWebhookConfiguration", "validatingwebhookconfigurations"),
  /** Asks what the caller may do; nothing is kept. */
  SelfSubjectAccessReview: written("authorization.k8s.io", "SelfSubjectAccessReview", "selfsubjectaccessreviews"),
} as const;
