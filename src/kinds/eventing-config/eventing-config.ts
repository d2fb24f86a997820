// All settings of Knative Eventing as one value, from the ConfigMaps of the namespace knative-eventing.
import type { ConfigData, ConfigError } from "../config/reader.ts";
import { parseBrokerDefaults, SHIPPED_BROKER_DEFAULTS, type BrokerDefaults } from "./broker-defaults.ts";
import { parseEventingFeatures, type EventingFeatures } from "./features.ts";

export interface EventingConfig {
  readonly brokerDefaults: BrokerDefaults;
  readonly features: EventingFeatures;
}

type Member = keyof EventingConfig;

/** Each member's ConfigMap, its parser, and the data that Knative ships. */
const SOURCES: { readonly [K in Member]: readonly [map: string, parse: (data: ConfigData) => EventingConfig[K] | ConfigError, shipped: ConfigData] } = {
  brokerDefaults: ["config-br-defaults", parseBrokerDefaults, { "default-br-config": SHIPPED_BROKER_DEFAULTS }],
  features: ["config-features", parseEventingFeatures, {}],
};

function shipped<K extends Member>(member: K): EventingConfig[K] {
  const [map, parse, data] = SOURCES[member];
  const parsed = parse(data);
  if ("error" in parsed) throw new Error(`built-in defaults of ${map} are refused: ${parsed.error}`);
  return parsed;
}

function configFrom(member: <K extends Member>(key: K) => EventingConfig[K]): EventingConfig {
  return { brokerDefaults: member("brokerDefaults"), features: member("features") };
}

/** What holds when no ConfigMap says otherwise. */
export function defaultEventingConfig(): EventingConfig {
  return configFrom(shipped);
}

export interface ParsedEventingConfig {
  readonly config: EventingConfig;
  /** Texts by ConfigMap name, for those that were refused; their previous values stay in `config`. */
  readonly errors: Readonly<Record<string, string>>;
}

/** Settings from the data of the ConfigMaps by name; a missing map leaves its defaults, a bad one what was before. */
export function parseEventingConfig(maps: Readonly<Record<string, ConfigData>>, previous: EventingConfig = defaultEventingConfig()): ParsedEventingConfig {
  const errors: Record<string, string> = {};
  const config = configFrom((key) => {
    const [name, parse] = SOURCES[key];
    const data = maps[name];
    if (data === undefined) return shipped(key);
    const parsed = parse(data);
    if (!("error" in parsed)) return parsed;
    errors[name] = parsed.error;
    return previous[key];
  });
  return { config, errors };
}
