// Certificate (networking.internal.knative.dev/v1alpha1): a wish for a TLS certificate.
import { conditionSet, defineKind, s, type ObjectOf } from "#schema";
import { CERTIFICATE_READY } from "../serving/columns.ts";
import { duckStatus } from "../duck/status.ts";
import { networkingGroup } from "../serving/group.ts";

const text = s.optional(s.string());
const Challenge = s.object({ serviceName: text, serviceNamespace: text, servicePort: s.optional(s.intOrString()), url: text });

export const Certificate = defineKind({
  ...networkingGroup,
  kind: "Certificate",
  plural: "certificates",
  shortNames: ["kcert"],
  columns: CERTIFICATE_READY,
  spec: s.object({ dnsNames: s.list(s.string(), { plain: true }), domain: text, secretName: s.string() }),
  status: s.object({ ...duckStatus, http01Challenges: s.optional(s.list(Challenge, { plain: true })), notAfter: s.optional(s.time()) }),
});
export type Certificate = ObjectOf<typeof Certificate>;

export const certificateConditions = conditionSet({ happy: "Ready", dependents: [] });
