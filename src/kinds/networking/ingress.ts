// Ingress (networking.internal.knative.dev/v1alpha1): what a gateway has to route (KIngress).
import type { KubeObject } from "#schema";
import type { DuckStatus } from "../serving/duck.ts";
import { READY } from "../serving/columns.ts";
import { networkingKind } from "../serving/knative-kind.ts";

export interface IngressSplit {
  serviceNamespace?: string;
  serviceName?: string;
  servicePort?: number | string;
  percent?: number;
  appendHeaders?: Record<string, string>;
}

export interface IngressPath {
  path?: string;
  rewriteHost?: string;
  headers?: Record<string, { exact?: string }>;
  splits: IngressSplit[];
  appendHeaders?: Record<string, string>;
}

export interface IngressRule {
  hosts?: string[];
  visibility?: "ExternalIP" | "ClusterLocal";
  http?: { paths: IngressPath[] };
}

export interface IngressTls {
  hosts?: string[];
  secretName?: string;
  secretNamespace?: string;
}

export interface LoadBalancerStatus {
  ingress?: { ip?: string; domain?: string; domainInternal?: string; meshOnly?: boolean }[];
}

export interface Ingress extends KubeObject {
  spec: { httpOption?: "Enabled" | "Redirected"; rules?: IngressRule[]; tls?: IngressTls[] };
  status?: DuckStatus & { publicLoadBalancer?: LoadBalancerStatus; privateLoadBalancer?: LoadBalancerStatus };
}

export const Ingress = networkingKind<Ingress>({
  kind: "Ingress",
  plural: "ingresses",
  shortNames: ["kingress", "king"],
  columns: READY,
  schema: { type: "object" },
});
