// All settings of Knative Eventing as one value, from the ConfigMaps of the namespace knative-eventing.
import { parseObservabilityConfig, type ObservabilityConfig } from "../config/observability.ts";
import type { ConfigData, ConfigError } from "../config/reader.ts";
import { parseBrokerDefaults, SHIPPED_BROKER_DEFAULTS, type BrokerDefaults } from "./broker-defaults.ts";
import { parseChannelDefaults, SHIPPED_CHANNEL_DEFAULTS, type ChannelDefaults } from "./channel-defaults.ts";
import { parseEventingFeatures, type EventingFeatures } from "./features.ts";
import { parseDispatcherConfig, parsePingDefaults, parseSugarConfig, type DispatcherConfig, type PingDefaults, type SugarConfig } from "./small-maps.ts";

export interface EventingConfig {
  readonly brokerDefaults: BrokerDefaults;
  readonly channelDefaults: ChannelDefaults;
  readonly dispatcher: DispatcherConfig;
  readonly features: EventingFeatures;
  readonly observability: Pick<ObservabilityConfig, "tracing">;
  readonly ping: PingDefaults;
  readonly sugar: SugarConfig;
}

type Member = keyof EventingConfig;

/** Each member's ConfigMap, its parser, and the data that Knative ships. */
const SOURCES: { readonly [K in Member]: readonly [map: string, parse: (data: ConfigData) => EventingConfig[K] | ConfigError, shipped: ConfigData] } = {
  brokerDefaults: ["config-br-defaults", parseBrokerDefaults, { "default-br-config": SHIPPED_BROKER_DEFAULTS }],
  channelDefaults: ["default-ch-webhook", parseChannelDefaults, { "default-ch-config": SHIPPED_CHANNEL_DEFAULTS }],
  dispatcher: ["config-imc-event-dispatcher", parseDispatcherConfig, {}],
  features: ["config-features", parseEventingFeatures, {}],
  observability: ["config-observability", parseObservabilityConfig, {}],
  ping: ["config-ping-defaults", parsePingDefaults, {}],
  sugar: ["config-sugar", parseSugarConfig, {}],
};

function shipped<K extends Member>(member: K): EventingConfig[K] {
  const [map, parse, data] = SOURCES[member];
  const parsed = parse(data);
  if ("error" in parsed) throw new Error(`built-in defaults of ${map} are refused: ${parsed.error}`);
  return parsed;
}

function configFrom(member: <K extends Member>(key: K) => EventingConfig[K]): EventingConfig {
  return {
    brokerDefaults: member("brokerDefaults"),
    channelDefaults: member("channelDefaults"),
    dispatcher: member("dispatcher"),
    features: member("features"),
    observability: member("observability"),
    ping: member("ping"),
    sugar: member("sugar"),
  };
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
