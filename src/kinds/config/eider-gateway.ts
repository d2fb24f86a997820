// config-eider-gateway: what Knative's settings have no place for (docs/reference/settings.md).
import { ConfigReader, resultOf, type ConfigData, type ConfigError } from "./reader.ts";

export interface EiderGatewayConfig {
  /** Address ranges whose `X-Forwarded-*` and `Forwarded` are believed. */
  readonly trustedProxies: readonly string[];
}

/** Settings from the data of `config-eider-gateway`. */
export function parseEiderGatewayConfig(data: ConfigData): EiderGatewayConfig | ConfigError {
  const reader = new ConfigReader(data);
  const trustedProxies = reader
    .text("trusted-proxies", "")
    .split(",")
    .map((range) => range.trim())
    .filter((range) => range !== "");
  return resultOf(reader, { trustedProxies });
}
