// The ConfigMaps that a platform is born with, and the checksum that guards their examples.
import { crc32 } from "node:zlib";
import type { KubeObject, Draft } from "#schema";
import { EIDER_INGRESS_CLASS } from "./network.ts";
import { QUEUE_SIDECAR_IMAGE } from "./serving-config.ts";

export interface ConfigMapObject extends KubeObject {
  data?: Record<string, string>;
}

/** The namespace of Knative Serving's own objects. */
export const SYSTEM_NAMESPACE = "knative-serving";
export const EXAMPLE_KEY = "_example";
export const EXAMPLE_CHECKSUM = "knative.dev/example-checksum";

/** Eight hex digits over the trimmed text, each run of line ends as the two characters `\n`. */
export function exampleChecksum(text: string): string {
  return crc32(text.trim().replace(/\n+/g, "\\n")).toString(16).padStart(8, "0");
}

/** Name, component label, examples (the defaults of the keys), and what is set. */
const MAPS: readonly (readonly [name: string, component: string, example: Readonly<Record<string, string>>, set?: Readonly<Record<string, string>>])[] = [
  [
    "config-autoscaler",
    "autoscaler",
    {
      "container-concurrency-target-percentage": "70",
      "container-concurrency-target-default": "100",
      "requests-per-second-target-default": "200",
      "target-burst-capacity": "211",
      "stable-window": "60s",
      "panic-window-percentage": "10.0",
      "panic-threshold-percentage": "200.0",
      "max-scale-up-rate": "1000.0",
      "max-scale-down-rate": "2.0",
      "enable-scale-to-zero": "true",
      "scale-to-zero-grace-period": "30s",
      "scale-to-zero-pod-retention-period": "0s",
      "pod-autoscaler-class": "kpa.autoscaling.knative.dev",
      "activator-capacity": "100.0",
      "initial-scale": "1",
      "allow-zero-initial-scale": "false",
      "min-scale": "0",
      "max-scale": "0",
      "scale-down-delay": "0s",
      "max-scale-limit": "0",
    },
  ],
  [
    "config-defaults",
    "controller",
    {
      "revision-timeout-seconds": "300",
      "max-revision-timeout-seconds": "600",
      "revision-response-start-timeout-seconds": "300",
      "revision-idle-timeout-seconds": "0",
      "container-name-template": "user-container",
      "init-container-name-template": "init-container",
      "container-concurrency": "0",
      "container-concurrency-max-limit": "1000",
      "allow-container-concurrency-zero": "true",
      "enable-service-links": "false",
    },
  ],
  [
    "config-deployment",
    "controller",
    {
      "registries-skipping-tag-resolving": "kind.local,ko.local,dev.local",
      "digest-resolution-timeout": "10s",
      "progress-deadline": "600s",
      "queue-sidecar-cpu-request": "25m",
    },
    { "queue-sidecar-image": QUEUE_SIDECAR_IMAGE },
  ],
  ["config-domain", "controller", { "example.com": "", "example.org": "selector:\n  app: nonprofit" }],
  ["config-features", "controller", { "multi-container": "enabled", "secure-pod-defaults": "disabled", "tag-header-based-routing": "disabled" }],
  [
    "config-gc",
    "controller",
    { "retain-since-create-time": "48h", "retain-since-last-active-time": "15h", "min-non-active-revisions": "20", "max-non-active-revisions": "1000" },
  ],
  ["config-leader-election", "controller", { "lease-duration": "60s", "renew-deadline": "40s", "retry-period": "10s", buckets: "1" }],
  ["config-logging", "logging", { "loglevel.controller": "info", "loglevel.autoscaler": "info" }],
  [
    "config-network",
    "networking",
    {
      "domain-template": "{{.Name}}.{{.Namespace}}.{{.Domain}}",
      "tag-template": "{{.Tag}}-{{.Name}}",
      "external-domain-tls": "Disabled",
      "http-protocol": "Enabled",
      "rollout-duration": "0",
      "default-external-scheme": "http",
    },
    { "ingress-class": EIDER_INGRESS_CLASS },
  ],
  ["config-observability", "observability", { "logging.enable-request-log": "false", "metrics-protocol": "none", "tracing-protocol": "none" }],
  ["config-tracing", "tracing", { deprecated: "use config-observability" }],
];

function exampleText(keys: Readonly<Record<string, string>>): string {
  const lines = Object.entries(keys).map(([key, value]) =>
    value.includes("\n") ? `${key}: |\n  ${value.replaceAll("\n", "\n  ")}` : `${key}: ${JSON.stringify(value)}`,
  );
  return `# This block is an example and is not read: copy a line out of it, one level up, to set it.\n${lines.join("\n")}\n`;
}

export interface DefaultConfigMapsOptions {
  /** Becomes the default entry of config-domain. */
  readonly domain: string;
  /** A label. */
  readonly version: string;
  readonly namespace?: string;
  /** The class of Ingresses where another gateway than ours serves them. */
  readonly ingressClass?: string;
}

/** Created at the first start. */
export function defaultConfigMaps(of: DefaultConfigMapsOptions): Draft<ConfigMapObject>[] {
  const { namespace = SYSTEM_NAMESPACE } = of;
  return MAPS.map(([name, component, keys, set = {}]) => {
    const example = exampleText(keys);
    return {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: {
        name,
        namespace,
        labels: { "app.kubernetes.io/name": "knative-serving", "app.kubernetes.io/component": component, "app.kubernetes.io/version": of.version },
        annotations: { [EXAMPLE_CHECKSUM]: exampleChecksum(example) },
      },
      data: {
        [EXAMPLE_KEY]: example,
        ...set,
        ...(name === "config-domain" ? { [of.domain]: "" } : {}),
        ...(name === "config-network" && of.ingressClass !== undefined ? { "ingress-class": of.ingressClass } : {}),
      },
    };
  });
}
