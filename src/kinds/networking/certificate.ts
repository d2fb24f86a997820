// Certificate (networking.internal.knative.dev/v1alpha1): a wish for a TLS certificate.
import type { KubeObject } from "#schema";
import type { DuckStatus } from "../serving/duck.ts";
import { CERTIFICATE_READY } from "../serving/columns.ts";
import { networkingKind } from "../serving/knative-kind.ts";

export interface Http01Challenge {
  url?: string;
  serviceName?: string;
  serviceNamespace?: string;
  servicePort?: number | string;
}

export interface Certificate extends KubeObject {
  spec: { dnsNames: string[]; domain?: string; secretName: string };
  status?: DuckStatus & { notAfter?: string; http01Challenges?: Http01Challenge[] };
}

export const Certificate = networkingKind<Certificate>({
  kind: "Certificate",
  plural: "certificates",
  shortNames: ["kcert"],
  columns: CERTIFICATE_READY,
  schema: { type: "object" },
});
