// config-leader-election and config-logging: leases and log levels of the control plane (serving.md §7).
import { ConfigReader, resultOf, type ConfigData, type ConfigError } from "./reader.ts";

export interface LeaderElectionConfig {
  readonly buckets: number;
  readonly leaseDurationMs: number;
  readonly renewDeadlineMs: number;
  readonly retryPeriodMs: number;
}

const BUCKETS_MAX = 10;

/** Settings from the data of `config-leader-election`; the error is the webhook's text. */
export function parseLeaderElectionConfig(data: ConfigData): LeaderElectionConfig | ConfigError {
  const reader = new ConfigReader(data);
  const config: LeaderElectionConfig = {
    leaseDurationMs: reader.durationMs("lease-duration", 60_000),
    renewDeadlineMs: reader.durationMs("renew-deadline", 40_000),
    retryPeriodMs: reader.durationMs("retry-period", 10_000),
    buckets: reader.integer("buckets", 1),
  };
  reader.check(config.buckets >= 1 && config.buckets <= BUCKETS_MAX, `buckets: value must be between 1 <= ${config.buckets} <= ${BUCKETS_MAX}`);
  return resultOf(reader, config);
}

export interface LoggingConfig {
  readonly zapLoggerConfig: string;
  /** Level by component. */
  readonly levels: Readonly<Record<string, string>>;
}

const LEVEL_PREFIX = "loglevel.";

/** Never fails: a logger configuration that cannot be read is left to its reader. */
export function parseLoggingConfig(data: ConfigData): LoggingConfig {
  const levels = Object.entries(data).filter(([key]) => key.startsWith(LEVEL_PREFIX));
  return {
    zapLoggerConfig: data["zap-logger-config"] ?? "",
    levels: Object.fromEntries(levels.map(([key, level]) => [key.slice(LEVEL_PREFIX.length), level])),
  };
}
