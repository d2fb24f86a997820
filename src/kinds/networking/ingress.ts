// Ingress (networking.internal.knative.dev/v1alpha1): what a gateway has to route (KIngress).
import { conditionSet, defineKind, s, type ObjectOf, type ValueOf } from "#schema";
import { READY } from "../serving/columns.ts";
import { duckStatus } from "../duck/status.ts";
import { networkingGroup } from "../serving/group.ts";

const text = s.optional(s.string());
const appendHeaders = s.optional(s.map(s.string()));

const Split = s.object({
  appendHeaders,
  percent: s.optional(s.int64()),
  serviceName: s.filled(s.string()),
  serviceNamespace: s.filled(s.string()),
  servicePort: s.filled(s.intOrString()),
});
export type IngressSplit = ValueOf<typeof Split>;

const Path = s.object({
  appendHeaders,
  headers: s.optional(s.map(s.object({ exact: text }))),
  path: text,
  rewriteHost: text,
  splits: s.filled(s.list(Split, { plain: true })),
});
export type IngressPath = ValueOf<typeof Path>;

const Rule = s.object({
  hosts: s.optional(s.list(s.string(), { plain: true })),
  http: s.optional(s.object({ paths: s.filled(s.list(Path, { plain: true })) })),
  visibility: s.optional(s.string()),
});
export type IngressRule = ValueOf<typeof Rule>;

const Tls = s.object({ hosts: s.optional(s.list(s.string(), { plain: true })), secretName: text, secretNamespace: text });
export type IngressTls = ValueOf<typeof Tls>;

const LoadBalancer = s.object({
  ingress: s.optional(s.list(s.object({ domain: text, domainInternal: text, ip: text, meshOnly: s.optional(s.boolean()) }), { plain: true })),
});
export type LoadBalancerStatus = ValueOf<typeof LoadBalancer>;

export const Ingress = defineKind({
  ...networkingGroup,
  kind: "Ingress",
  plural: "ingresses",
  shortNames: ["kingress", "king"],
  columns: READY,
  spec: s.object({ httpOption: text, rules: s.optional(s.list(Rule, { plain: true })), tls: s.optional(s.list(Tls, { plain: true })) }),
  status: s.object({ ...duckStatus, privateLoadBalancer: s.optional(LoadBalancer), publicLoadBalancer: s.optional(LoadBalancer) }),
});
export type Ingress = ObjectOf<typeof Ingress>;

export const ingressConditions = conditionSet({ happy: "Ready", dependents: ["LoadBalancerReady", "NetworkConfigured"] });
