// config-deployment: how Deployments of Revisions are made (serving.md §7).
import { formatDurationMs } from "#core";
import { parse as parseYaml } from "yaml";
import { YAML_ERROR } from "./domain.ts";
import { ConfigReader, resultOf, type ConfigData, type ConfigError } from "./reader.ts";

export interface DeploymentConfig {
  readonly queueSidecarImage: string;
  readonly registriesSkippingTagResolving: readonly string[];
  readonly digestResolutionTimeoutMs: number;
  readonly progressDeadlineMs: number;
  /** Quantities of the queue sidecar by `<resource>-<request|limit>`. */
  readonly queueSidecarResources: Readonly<Record<string, string>>;
  readonly queueSidecarTokenAudiences: readonly string[];
  readonly queueSidecarRootCa: string;
  readonly defaultAffinityType: "none" | "prefer-spread-revision-over-nodes";
  /** Runtime classes with the labels of Revisions that get them; an empty selector is the default. */
  readonly runtimeClassNames: Readonly<Record<string, { readonly selector?: Readonly<Record<string, string>> }>>;
  readonly podIsAlwaysSchedulable: boolean;
}

const SIDECAR_RESOURCES = ["cpu-request", "cpu-limit", "memory-request", "memory-limit", "ephemeral-storage-request", "ephemeral-storage-limit"] as const;

function sidecarResources(reader: ConfigReader): Record<string, string> {
  const found: Record<string, string> = { "cpu-request": "25m" };
  for (const name of SIDECAR_RESOURCES) {
    const value = reader.quantity(`queue-sidecar-${name}`);
    if (value !== undefined) found[name] = value;
  }
  return found;
}

function affinity(reader: ConfigReader): DeploymentConfig["defaultAffinityType"] {
  const text = reader.text("default-affinity-type", "prefer-spread-revision-over-nodes");
  if (text === "none" || text === "prefer-spread-revision-over-nodes") return text;
  reader.fail(`unsupported default-affinity-type value: ${JSON.stringify(text)}`);
  return "none";
}

function runtimeClasses(reader: ConfigReader): DeploymentConfig["runtimeClassNames"] {
  const text = reader.text("runtime-class-name", "");
  if (text.trim() === "") return {};
  try {
    return (parseYaml(text) ?? {}) as DeploymentConfig["runtimeClassNames"];
  } catch {
    reader.fail(`runtime-class-name cannot be parsed, please check the format: ${YAML_ERROR}`);
    return {};
  }
}

/** Settings from the data of `config-deployment`; the error is the webhook's text. */
export function parseDeploymentConfig(data: ConfigData): DeploymentConfig | ConfigError {
  const reader = new ConfigReader(data);
  const config: DeploymentConfig = {
    queueSidecarImage: reader.text("queue-sidecar-image", ""),
    progressDeadlineMs: reader.durationMs("progress-deadline", 600_000),
    digestResolutionTimeoutMs: reader.durationMs("digest-resolution-timeout", 10_000),
    registriesSkippingTagResolving: reader.words("registries-skipping-tag-resolving", ["kind.local", "ko.local", "dev.local"]),
    queueSidecarResources: sidecarResources(reader),
    queueSidecarTokenAudiences: reader.words("queue-sidecar-token-audiences", []),
    queueSidecarRootCa: reader.text("queue-sidecar-rootca", ""),
    podIsAlwaysSchedulable: reader.boolean("pod-is-always-schedulable", false),
    defaultAffinityType: affinity(reader),
    runtimeClassNames: runtimeClasses(reader),
  };
  const { progressDeadlineMs: deadline, digestResolutionTimeoutMs: digest } = config;
  reader.check(config.queueSidecarImage !== "", "queue-sidecar-image cannot be empty or unset");
  reader.check(deadline > 0, `progress-deadline cannot be a non-positive duration, was ${formatDurationMs(deadline)}`);
  reader.check(deadline % 1000 === 0, `progress-deadline must be rounded to a whole second, was: ${formatDurationMs(deadline)}`);
  reader.check(digest > 0, `digest-resolution-timeout cannot be a non-positive duration, was ${formatDurationMs(digest)}`);
  return resultOf(reader, config);
}
