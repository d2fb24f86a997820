// All settings of Knative Serving as one value, from the ConfigMaps of the namespace knative-serving.
import { parseAutoscalerConfig, type AutoscalerConfig } from "./autoscaler.ts";
import { parseDefaultsConfig, type DefaultsConfig } from "./defaults.ts";
import { parseDeploymentConfig, type DeploymentConfig } from "./deployment.ts";
import { parseDomainConfig, type DomainConfig } from "./domain.ts";
import { parseEiderGatewayConfig, type EiderGatewayConfig } from "./eider-gateway.ts";
import { parseEiderImagesConfig, type EiderImagesConfig } from "./eider-images.ts";
import { parseFeaturesConfig, type FeaturesConfig } from "./features.ts";
import { parseGcConfig, type GcConfig } from "./gc.ts";
import { parseLeaderElectionConfig, parseLoggingConfig, type LeaderElectionConfig, type LoggingConfig } from "./leader-election.ts";
import { parseNetworkConfig, type NetworkConfig } from "./network.ts";
import { parseObservabilityConfig, type ObservabilityConfig } from "./observability.ts";
import type { ConfigData, ConfigError } from "./reader.ts";

export interface ServingConfig {
  readonly autoscaler: AutoscalerConfig;
  readonly defaults: DefaultsConfig;
  readonly deployment: DeploymentConfig;
  readonly domain: DomainConfig;
  readonly eiderGateway: EiderGatewayConfig;
  readonly eiderImages: EiderImagesConfig;
  readonly features: FeaturesConfig;
  readonly gc: GcConfig;
  readonly leaderElection: LeaderElectionConfig;
  readonly logging: LoggingConfig;
  readonly network: NetworkConfig;
  readonly observability: ObservabilityConfig;
}

/** The parser of each ConfigMap by the member of ServingConfig that it gives. */
export const PARSERS: { readonly [K in keyof ServingConfig]: (data: ConfigData) => ServingConfig[K] | ConfigError } = {
  autoscaler: parseAutoscalerConfig,
  defaults: parseDefaultsConfig,
  deployment: parseDeploymentConfig,
  domain: parseDomainConfig,
  eiderGateway: parseEiderGatewayConfig,
  eiderImages: parseEiderImagesConfig,
  features: parseFeaturesConfig,
  gc: parseGcConfig,
  leaderElection: parseLeaderElectionConfig,
  logging: parseLoggingConfig,
  network: parseNetworkConfig,
  observability: parseObservabilityConfig,
};

/** The image name that stands where Knative names its sidecar; there is none here. */
export const QUEUE_SIDECAR_IMAGE = "eider.dev/queue:builtin";

/** `config-leader-election` for `leaderElection` and so on. */
export function configMapNameOf(member: keyof ServingConfig): string {
  return `config-${member.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

function mustParse<K extends keyof ServingConfig>(member: K, data: ConfigData): ServingConfig[K] {
  const parsed = PARSERS[member](data);
  if ("error" in parsed) throw new Error(`built-in defaults of ${member} are refused: ${parsed.error}`);
  return parsed;
}

/** What holds when no ConfigMap says otherwise. */
export function defaultServingConfig(): ServingConfig {
  return {
    autoscaler: mustParse("autoscaler", {}),
    defaults: mustParse("defaults", {}),
    deployment: mustParse("deployment", { "queue-sidecar-image": QUEUE_SIDECAR_IMAGE }),
    domain: mustParse("domain", {}),
    eiderGateway: mustParse("eiderGateway", {}),
    eiderImages: mustParse("eiderImages", {}),
    features: mustParse("features", {}),
    gc: mustParse("gc", {}),
    leaderElection: mustParse("leaderElection", {}),
    logging: mustParse("logging", {}),
    network: mustParse("network", {}),
    observability: mustParse("observability", {}),
  };
}

export interface ParsedServingConfig {
  readonly config: ServingConfig;
  /** Texts by ConfigMap name, for those that were refused; their previous values stay in `config`. */
  readonly errors: Readonly<Record<string, string>>;
}

/** Settings from the data of the ConfigMaps by name; a missing map leaves its defaults, a bad one what was before. */
export function parseServingConfig(maps: Readonly<Record<string, ConfigData>>, previous: ServingConfig = defaultServingConfig()): ParsedServingConfig {
  const errors: Record<string, string> = {};
  const defaults = defaultServingConfig();
  const member = <K extends keyof ServingConfig>(key: K): ServingConfig[K] => {
    const name = configMapNameOf(key);
    const data = maps[name];
    if (data === undefined) return defaults[key];
    const parsed = PARSERS[key](data);
    if (!("error" in parsed)) return parsed;
    errors[name] = parsed.error;
    return previous[key];
  };
  const config: ServingConfig = {
    autoscaler: member("autoscaler"),
    defaults: member("defaults"),
    deployment: member("deployment"),
    domain: member("domain"),
    eiderGateway: member("eiderGateway"),
    eiderImages: member("eiderImages"),
    features: member("features"),
    gc: member("gc"),
    leaderElection: member("leaderElection"),
    logging: member("logging"),
    network: member("network"),
    observability: member("observability"),
  };
  return { config, errors };
}
