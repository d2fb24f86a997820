// config-gc: which old Revisions go (serving.md §7).
import { parseDurationMs } from "#core";
import { ConfigReader, durationComplaint, parseIntText, resultOf, type ConfigData, type ConfigError } from "./reader.ts";

/** Undefined means disabled: no limit. */
export interface GcConfig {
  readonly retainSinceCreateTimeMs: number | undefined;
  readonly retainSinceLastActiveTimeMs: number | undefined;
  readonly minNonActiveRevisions: number;
  readonly maxNonActiveRevisions: number | undefined;
}

const isDisabled = (text: string): boolean => text.toLowerCase() === "disabled";

function age(reader: ConfigReader, key: string, fallback: string): number | undefined {
  const text = reader.text(key, fallback);
  if (isDisabled(text)) return undefined;
  const ms = parseDurationMs(text);
  if (ms === undefined) reader.fail(`failed to parse ${key}: ${durationComplaint(text)}`);
  else if (ms < 0) reader.fail(`failed to parse ${key}: must be non-negative`);
  return ms;
}

function maximum(reader: ConfigReader): number | undefined {
  const key = "max-non-active-revisions";
  const text = reader.text(key, "1000");
  if (isDisabled(text)) return undefined;
  const parsed = parseIntText(text);
  if ("error" in parsed) {
    reader.fail(`failed to parse ${key}: ${parsed.error}`);
    return undefined;
  }
  reader.check(parsed.value >= 0, `failed to parse ${key}: must be non-negative`);
  return parsed.value;
}

/** Settings from the data of `config-gc`; the error is the webhook's text. */
export function parseGcConfig(data: ConfigData): GcConfig | ConfigError {
  const reader = new ConfigReader(data);
  const config: GcConfig = {
    minNonActiveRevisions: reader.integer("min-non-active-revisions", 20),
    retainSinceCreateTimeMs: age(reader, "retain-since-create-time", "48h"),
    retainSinceLastActiveTimeMs: age(reader, "retain-since-last-active-time", "15h"),
    maxNonActiveRevisions: maximum(reader),
  };
  const { minNonActiveRevisions: least, maxNonActiveRevisions: most } = config;
  reader.check(least >= 0, `min-non-active-revisions must be non-negative, was: ${least}`);
  reader.check(most === undefined || least <= most, `min-non-active-revisions(${least}) must be <= max-non-active-revisions(${most})`);
  return resultOf(reader, config);
}
