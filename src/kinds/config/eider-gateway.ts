// config-eider-gateway: what Knative's settings have no place for (docs/reference/settings.md).
import { isIP } from "node:net";
import { ConfigReader, resultOf, type ConfigData, type ConfigError } from "./reader.ts";

export interface EiderGatewayConfig {
  /** Address ranges of peers whose `X-Forwarded-*`, `Forwarded` and PROXY headers are believed. */
  readonly trustedProxies: readonly string[];
  readonly proxyProtocol: "off" | "required";
  /** 0: off. */
  readonly bodyIdleMs: number;
  readonly connectionsMax: number;
}

/** Everyone, as in Knative's own ingress unless it is told otherwise. */
const EVERYONE = ["0.0.0.0/0", "::/0"];
const CONNECTIONS_MAX = 50_000;
const CONNECTIONS_LIMIT = 1_000_000n;

/** `address` or `address/bits`. */
function isRange(text: string): boolean {
  const [, address = "", bits] = /^([^/]*)(?:\/(0|[1-9][0-9]{0,2}))?$/.exec(text) ?? [];
  const version = isIP(address);
  return version !== 0 && !address.includes("%") && Number(bits ?? 0) <= (version === 4 ? 32 : 128);
}

/** Settings from the data of `config-eider-gateway`. */
export function parseEiderGatewayConfig(data: ConfigData): EiderGatewayConfig | ConfigError {
  const reader = new ConfigReader(data);
  const trustedProxies = reader.words("trusted-proxies", EVERYONE);
  for (const range of trustedProxies) reader.check(isRange(range), `failed to parse "trusted-proxies": ${JSON.stringify(range)} is no address range`);
  const proxyProtocol = reader.text("proxy-protocol", "off");
  reader.check(proxyProtocol === "off" || proxyProtocol === "required", `proxy-protocol = ${proxyProtocol}, must be "off" or "required"`);
  const bodyIdleMs = reader.durationMs("request-body-idle-timeout", 0);
  reader.check(bodyIdleMs === 0 || bodyIdleMs >= 1000, `request-body-idle-timeout = ${bodyIdleMs} ms, must be 0 or at least 1s`);
  const connectionsMax = reader.integer("connections-max", CONNECTIONS_MAX, CONNECTIONS_LIMIT);
  reader.check(connectionsMax >= 1, `connections-max = ${connectionsMax}, must be at least 1`);
  return resultOf(reader, { trustedProxies, proxyProtocol: proxyProtocol === "required" ? "required" : "off", bodyIdleMs, connectionsMax });
}
