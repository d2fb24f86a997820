// config-observability: logs, metrics and traces (serving.md §7).
import { parseTextTemplate } from "#core";
import { ConfigReader, resultOf, type ConfigData, type ConfigError } from "./reader.ts";

export interface ExportConfig {
  readonly protocol: string;
  readonly endpoint: string;
  /** Undefined: the protocol's own. */
  readonly intervalMs: number | undefined;
}

export interface ObservabilityConfig {
  readonly enableVarLogCollection: boolean;
  /** `${REVISION_UID}` is replaced; "" gives no log URL. */
  readonly revisionUrlTemplate: string;
  readonly requestLogTemplate: string;
  readonly enableRequestLog: boolean;
  readonly enableProbeRequestLog: boolean;
  readonly metrics: ExportConfig;
  readonly requestMetrics: ExportConfig;
  readonly tracing: { readonly protocol: string; readonly endpoint: string; readonly samplingRate: number };
  readonly runtimeProfiling: boolean;
  readonly runtimeExportIntervalMs: number;
}

const DEFAULT_REQUEST_LOG_TEMPLATE =
  '{"httpRequest": {"requestMethod": "{{.Request.Method}}", "requestUrl": "{{js .Request.RequestURI}}", "requestSize": "{{.Request.ContentLength}}", "status": {{.Response.Code}}, "responseSize": "{{.Response.Size}}", "userAgent": "{{js .Request.UserAgent}}", "remoteIp": "{{js .Request.RemoteAddr}}", "serverIp": "{{.Revision.PodIP}}", "referer": "{{js .Request.Referer}}", "latency": "{{.Response.Latency}}s", "protocol": "{{.Request.Proto}}"}, "traceId": "{{.TraceID}}"}';

function exportOf(reader: ConfigReader, prefix: string): ExportConfig {
  const protocol = reader.text(`${prefix}-protocol`, "none");
  const endpoint = reader.text(`${prefix}-endpoint`, "");
  const interval = reader.data[`${prefix}-export-interval`] === undefined ? undefined : reader.durationMs(`${prefix}-export-interval`, 0);
  if (interval !== undefined && interval < 0)
    reader.fail(`export interval ${JSON.stringify(reader.data[`${prefix}-export-interval`])} should be greater than zero`);
  checkProtocol(reader, protocol, { allowed: ["none", "prometheus", "grpc", "http/protobuf"], endpoint });
  return { protocol, endpoint, intervalMs: interval };
}

function checkProtocol(reader: ConfigReader, protocol: string, how: { readonly allowed: readonly string[]; readonly endpoint: string }): void {
  reader.check(how.allowed.includes(protocol), `unsupported protocol ${JSON.stringify(protocol)}`);
  const remote = protocol === "grpc" || protocol === "http/protobuf";
  reader.check(!remote || how.endpoint !== "", `endpoint should be set for protocol ${JSON.stringify(protocol)}`);
}

function tracing(reader: ConfigReader): ObservabilityConfig["tracing"] {
  const found = {
    protocol: reader.text("tracing-protocol", "none"),
    endpoint: reader.text("tracing-endpoint", ""),
    samplingRate: reader.number("tracing-sampling-rate", 0),
  };
  checkProtocol(reader, found.protocol, { allowed: ["none", "grpc", "http/protobuf", "stdout"], endpoint: found.endpoint });
  reader.check(found.samplingRate >= 0, `sampling rate ${found.samplingRate.toFixed(6)} should be greater or equal to zero`);
  reader.check(found.samplingRate <= 1, `sampling rate ${found.samplingRate.toFixed(6)} should be less than or equal to one`);
  return found;
}

function profiling(reader: ConfigReader): boolean {
  const text = reader.text("runtime-profiling", "disabled");
  reader.check(text === "enabled" || text === "disabled", `unsupported profile setting ${JSON.stringify(text)}`);
  return text === "enabled";
}

function checkLogTemplate(reader: ConfigReader, text: string): void {
  const parsed = parseTextTemplate("requestLog", text);
  if ("error" in parsed) reader.fail(parsed.error);
}

/** Settings from the data of `config-observability`; the error is the webhook's text. */
export function parseObservabilityConfig(data: ConfigData): ObservabilityConfig | ConfigError {
  const reader = new ConfigReader(data);
  const config: ObservabilityConfig = {
    metrics: exportOf(reader, "metrics"),
    tracing: tracing(reader),
    runtimeProfiling: profiling(reader),
    runtimeExportIntervalMs: reader.durationMs("runtime-export-interval", 15_000),
    requestMetrics: exportOf(reader, "request-metrics"),
    enableVarLogCollection: reader.boolean("logging.enable-var-log-collection", false),
    revisionUrlTemplate: reader.text("logging.revision-url-template", ""),
    requestLogTemplate: reader.text("logging.request-log-template", DEFAULT_REQUEST_LOG_TEMPLATE),
    enableRequestLog: reader.boolean("logging.enable-request-log", false),
    enableProbeRequestLog: reader.boolean("logging.enable-probe-request-log", false),
  };
  checkLogTemplate(reader, config.requestLogTemplate);
  const wants = config.enableRequestLog && config.requestLogTemplate === "";
  reader.check(!wants, '"logging.enable-request-log" was set to true, but no "logging.request-log-template" was specified');
  return resultOf(reader, config);
}
