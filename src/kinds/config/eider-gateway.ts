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
  /** A line a request; undefined: off. */
  readonly accessLog: { readonly file: string; readonly format: "json" | "common" } | undefined;
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

/** Only in the log folder: who may write settings may not write files anywhere. */
const FILE_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;
/** Names in that folder that are taken. */
const TAKEN: ReadonlySet<string> = new Set(["platform.log", "requests.log", "start.log"]);

function accessLog(reader: ConfigReader): EiderGatewayConfig["accessLog"] {
  const file = reader.text("access-log", "off");
  const format = reader.text("access-log-format", "json");
  if (format !== "json" && format !== "common") {
    reader.fail(`access-log-format must be json or common, not ${JSON.stringify(format)}`);
    return undefined;
  }
  if (file === "off") return undefined;
  const isName = FILE_NAME.test(file) && !TAKEN.has(file.replace(/(?:\.\d+)+$/, ""));
  reader.check(isName, `access-log must be off, stdout or the name of a file in the log folder, not ${JSON.stringify(file)}`);
  return { file, format };
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
  return resultOf(reader, {
    trustedProxies,
    proxyProtocol: proxyProtocol === "required" ? "required" : "off",
    bodyIdleMs,
    connectionsMax,
    accessLog: accessLog(reader),
  });
}
