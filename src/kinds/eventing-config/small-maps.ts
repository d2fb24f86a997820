// The small ConfigMaps of knative-eventing: PingSource's limit, connections of the dispatcher, sugar (eventing.md §4.5).
import type { LabelSelectorObject } from "#schema";
import { parse as parseYaml } from "yaml";
import { YAML_ERROR } from "../config/domain.ts";
import { ConfigReader, resultOf, type ConfigData, type ConfigError } from "../config/reader.ts";

export interface PingDefaults {
  /** Bytes of a PingSource's data; undefined is no limit. */
  readonly dataMaxBytes: number | undefined;
}

/** Settings from the data of `config-ping-defaults`. */
export function parsePingDefaults(data: ConfigData): PingDefaults | ConfigError {
  const reader = new ConfigReader(data);
  const size = reader.integer(["data-max-size", "dataMaxSize"], -1);
  return resultOf(reader, { dataMaxBytes: size < 0 ? undefined : size });
}

export interface DispatcherConfig {
  readonly maxIdleConnections: number;
  readonly maxIdleConnectionsPerHost: number;
}

/** Settings from the data of `config-imc-event-dispatcher`. */
export function parseDispatcherConfig(data: ConfigData): DispatcherConfig | ConfigError {
  const reader = new ConfigReader(data);
  return resultOf(reader, {
    maxIdleConnections: reader.integer("MaxIdleConnections", 1000),
    maxIdleConnectionsPerHost: reader.integer("MaxIdleConnectionsPerHost", 100),
  });
}

/** Which namespaces and Triggers get a Broker made; undefined is none, an empty selector all. */
export interface SugarConfig {
  readonly namespaceSelector: LabelSelectorObject | undefined;
  readonly triggerSelector: LabelSelectorObject | undefined;
}

function selector(data: ConfigData, key: string): LabelSelectorObject | undefined | ConfigError {
  const text = data[key] ?? "";
  if (text.trim() === "") return undefined;
  let value: unknown;
  try {
    value = parseYaml(text);
  } catch {
    return { error: YAML_ERROR };
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  const found = Array.isArray(value) ? "array" : typeof value === "boolean" ? "bool" : typeof value;
  return { error: `error unmarshaling JSON: while decoding JSON: json: cannot unmarshal ${found} into Go value of type v1.LabelSelector` };
}

/** Settings from the data of `config-sugar`. */
export function parseSugarConfig(data: ConfigData): SugarConfig | ConfigError {
  const namespaceSelector = selector(data, "namespace-selector");
  const triggerSelector = selector(data, "trigger-selector");
  if (namespaceSelector !== undefined && "error" in namespaceSelector) return namespaceSelector;
  if (triggerSelector !== undefined && "error" in triggerSelector) return triggerSelector;
  return { namespaceSelector, triggerSelector };
}
