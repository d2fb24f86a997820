// What tells a cluster to ask our webhooks: two configurations for Knative's kinds, one for its ConfigMaps.
import type { Kind } from "#schema";
import { DEFAULTING, VALIDATION } from "./admission.ts";
import { REVIEW_PATHS } from "./admission-review.ts";
import { CONFIG_VALIDATION, GUARDED } from "./config/admission.ts";

/** How long the cluster waits for an answer. */
const TIMEOUT_SECONDS = 10;

interface Rule {
  readonly apiGroups: readonly string[];
  readonly apiVersions: readonly string[];
  readonly resources: readonly string[];
  readonly operations: readonly string[];
  readonly scope: "*";
}

export interface WebhookConfiguration {
  readonly apiVersion: "admissionregistration.k8s.io/v1";
  readonly kind: "MutatingWebhookConfiguration" | "ValidatingWebhookConfiguration";
  readonly metadata: { readonly name: string; readonly labels: Readonly<Record<string, string>> };
  readonly webhooks: readonly object[];
}

export interface WebhooksAt {
  /** `https://…`, without a slash at the end. */
  readonly url: string;
  readonly caPem: string;
  /** Kinds with webhooks. */
  readonly kinds: readonly Kind[];
}

function rulesFor(kinds: readonly Kind[]): Rule[] {
  const groups = new Map<string, { readonly kind: Kind; readonly resources: string[] }>();
  for (const kind of kinds) {
    const id = `${kind.group}/${kind.version}`;
    const group = groups.get(id) ?? { kind, resources: [] };
    groups.set(id, group);
    group.resources.push(kind.plural, ...(kind.subresources.status === true ? [`${kind.plural}/status`] : []));
  }
  return [...groups.values()].map(({ kind: { group, version }, resources }) => rule(group, version, resources));
}

function rule(group: string, version: string, resources: readonly string[]): Rule {
  return { apiGroups: [group], apiVersions: [version], resources, operations: ["CREATE", "UPDATE"], scope: "*" };
}

/** The webhooks have Knative's names, since those are part of what a refusal says. */
export function webhookConfigurations({ url, caPem, kinds }: WebhooksAt): readonly WebhookConfiguration[] {
  const caBundle = Buffer.from(caPem).toString("base64");
  const configuration = (
    kind: WebhookConfiguration["kind"],
    name: string,
    its: { readonly path: string; readonly rules: readonly Rule[]; readonly objectSelector?: object },
  ): WebhookConfiguration => {
    const { path, ...selection } = its;
    const fixed = { admissionReviewVersions: ["v1"], failurePolicy: "Fail", matchPolicy: "Equivalent", sideEffects: "None", timeoutSeconds: TIMEOUT_SECONDS };
    return {
      apiVersion: "admissionregistration.k8s.io/v1",
      kind,
      metadata: { name, labels: { "app.kubernetes.io/name": GUARDED.name, "app.kubernetes.io/component": "webhook" } },
      webhooks: [{ name, clientConfig: { url: url + path, caBundle }, ...fixed, ...selection }],
    };
  };
  const rules = rulesFor(kinds);
  const guarded = {
    matchLabels: { "app.kubernetes.io/name": GUARDED.name },
    matchExpressions: [{ key: "app.kubernetes.io/component", operator: "In", values: GUARDED.components }],
  };
  return [
    configuration("MutatingWebhookConfiguration", DEFAULTING, { path: REVIEW_PATHS.mutate, rules }),
    configuration("ValidatingWebhookConfiguration", VALIDATION, { path: REVIEW_PATHS.validate, rules }),
    configuration("ValidatingWebhookConfiguration", CONFIG_VALIDATION, {
      path: REVIEW_PATHS.checkConfig,
      rules: [rule("", "v1", ["configmaps"])],
      objectSelector: guarded,
    }),
  ];
}
