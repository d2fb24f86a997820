// The spec of a Revision and the template that a Configuration or Service stamps Revisions from (serving.md §1.2).
import { s, type DraftMeta, type ValueOf } from "#schema";
import { Container, Volume } from "./container-schema.ts";

/** Open content, judged elsewhere. */
const content = s.anything();
const text = s.optional(s.string());
const flag = s.optional(s.boolean());
const seconds = s.optional(s.int64());
const open = s.optional(content);
const opens = s.optional(s.list(content, { plain: true }));

/** `name` is its key, and a missing one counts as "". */
const imagePullSecrets = s.node<{ name?: string }[]>({
  type: "array",
  items: { type: "object", properties: { name: { type: "string", default: "" } }, "x-kubernetes-map-type": "atomic" },
  "x-kubernetes-list-type": "map",
  "x-kubernetes-list-map-keys": ["name"],
});

/** PodSpec fields inline, and Knative's own four. Fields of open content are judged by the webhook. */
export const RevisionSpec = s.object({
  affinity: open,
  automountServiceAccountToken: flag,
  containerConcurrency: s.optional(s.int64()),
  containers: s.list(Container, { plain: true }),
  dnsConfig: open,
  dnsPolicy: text,
  enableServiceLinks: flag,
  hostAliases: opens,
  hostIPC: flag,
  hostNetwork: flag,
  hostPID: flag,
  idleTimeoutSeconds: seconds,
  imagePullSecrets: s.optional(imagePullSecrets),
  initContainers: opens,
  nodeSelector: s.optional(s.node<Record<string, string>>({ type: "object", additionalProperties: { type: "string" }, "x-kubernetes-map-type": "atomic" })),
  priorityClassName: text,
  responseStartTimeoutSeconds: seconds,
  runtimeClassName: text,
  schedulerName: text,
  securityContext: open,
  serviceAccountName: text,
  shareProcessNamespace: flag,
  timeoutSeconds: seconds,
  tolerations: opens,
  topologySpreadConstraints: opens,
  volumes: s.optional(s.list(Volume, { keyedBy: ["name"] })),
});
export type RevisionSpec = ValueOf<typeof RevisionSpec>;

const templateMetadata = s.node<DraftMeta>({
  type: "object",
  properties: {
    annotations: { type: "object", additionalProperties: { type: "string" } },
    finalizers: { type: "array", items: { type: "string" } },
    labels: { type: "object", additionalProperties: { type: "string" } },
    name: { type: "string" },
    namespace: { type: "string" },
  },
  "x-kubernetes-preserve-unknown-fields": true,
});

export const RevisionTemplate = s.object({ metadata: s.optional(templateMetadata), spec: s.filled(RevisionSpec) });
export type RevisionTemplate = ValueOf<typeof RevisionTemplate>;
