// Reads typed values out of a ConfigMap's strings with the errors of Go's parsers; the first error counts.
import { parseDurationNs } from "#core";

/** Data of a ConfigMap. */
export type ConfigData = Readonly<Record<string, string>>;

/** What a parser answers when the data is refused; the text is what the webhook says. */
export interface ConfigError {
  readonly error: string;
}

const INT64_MAX = 9_223_372_036_854_775_807n;
const TRUE = ["1", "t", "T", "TRUE", "true", "True"];
const FALSE = ["0", "f", "F", "FALSE", "false", "False"];
const QUANTITY = /^[+-]?\d*\.?\d*(?:[numkMGTPE]|[KMGTPE]i|[eE][+-]?\d+)?$/;

/** Go's `strconv.ParseBool`. */
export function parseBool(text: string): boolean | undefined {
  return TRUE.includes(text) ? true : FALSE.includes(text) ? false : undefined;
}

/** Go's `strconv.ParseFloat`. */
export function parseFloatText(text: string): number | undefined {
  return /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(text) ? Number(text) : undefined;
}

/** Go's `strconv.ParseInt` with its complaint. */
export function parseIntText(text: string, max: bigint = INT64_MAX): { readonly value: number } | ConfigError {
  if (!/^[+-]?\d+$/.test(text)) return { error: `strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax` };
  const value = BigInt(text.replace(/^\+/, ""));
  if (value > max || value < -max - 1n) return { error: `strconv.ParseInt: parsing ${JSON.stringify(text)}: value out of range` };
  return { value: Number(value) };
}

/** Kubernetes' quantity syntax; a lone sign counts as zero there, too. */
export function isQuantity(text: string): boolean {
  return text !== "" && QUANTITY.test(text);
}

export const QUANTITY_ERROR = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";

/** What Go's `time.ParseDuration` says about a text that it refuses. */
export function durationComplaint(text: string): string {
  const quoted = JSON.stringify(text);
  if (/^[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))*(?:\d+\.?\d*|\.\d+)$/.test(text)) return `time: missing unit in duration ${quoted}`;
  const unit = /^[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))*(?:\d+\.?\d*|\.\d+)([^\d.]+)/.exec(text)?.[1];
  return unit === undefined ? `time: invalid duration ${quoted}` : `time: unknown unit ${JSON.stringify(unit)} in duration ${quoted}`;
}

/** One pass over the data of one ConfigMap. Missing keys give the fallback; `error` is the first complaint. */
export class ConfigReader {
  readonly data: ConfigData;
  error: string | undefined;

  constructor(data: ConfigData) {
    this.data = data;
  }

  fail(error: string): void {
    this.error ??= error;
  }

  /** Complains unless `holds`. */
  check(holds: boolean, error: string): void {
    if (!holds) this.fail(error);
  }

  text(keys: string | readonly string[], fallback: string): string {
    return this.#find(keys)?.[1] ?? fallback;
  }

  boolean(keys: string | readonly string[], fallback: boolean): boolean {
    return this.#parsed<boolean>(keys, fallback, (text) => parseBool(text) ?? { error: `strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax` });
  }

  integer(keys: string | readonly string[], fallback: number, max: bigint = INT64_MAX): number {
    return this.#parsed<number>(keys, fallback, (text) => {
      const parsed = parseIntText(text, max);
      return "error" in parsed ? parsed : parsed.value;
    });
  }

  number(keys: string | readonly string[], fallback: number): number {
    return this.#parsed<number>(
      keys,
      fallback,
      (text) => parseFloatText(text) ?? { error: `strconv.ParseFloat: parsing ${JSON.stringify(text)}: invalid syntax` },
    );
  }

  durationMs(keys: string | readonly string[], fallback: number): number {
    return this.#parsed<number>(keys, fallback, (text) => {
      const ns = parseDurationNs(text);
      return ns === undefined ? { error: durationComplaint(text) } : Number(ns) / 1e6;
    });
  }

  quantity(key: string): string | undefined {
    return this.#parsed<string | undefined>(key, undefined, (text) => (isQuantity(text) ? text : { error: QUANTITY_ERROR }));
  }

  /** Comma-separated words; blanks around them and empty ones go. */
  words(key: string, fallback: readonly string[]): readonly string[] {
    const text = this.data[key];
    if (text === undefined) return fallback;
    return text
      .split(",")
      .map((word) => word.trim())
      .filter((word) => word !== "");
  }

  #find(keys: string | readonly string[]): [string, string] | undefined {
    for (const key of typeof keys === "string" ? [keys] : keys) {
      const value = this.data[key];
      if (value !== undefined) return [key, value];
    }
    return undefined;
  }

  #parsed<T>(keys: string | readonly string[], fallback: T, parse: (text: string) => T | ConfigError): T {
    const found = this.#find(keys);
    if (found === undefined) return fallback;
    const parsed = parse(found[1]);
    if (typeof parsed === "object" && parsed !== null && "error" in parsed) {
      this.fail(`failed to parse ${JSON.stringify(found[0])}: ${parsed.error}`);
      return fallback;
    }
    return parsed;
  }
}

/** The value, or the first error of the reader. */
export function resultOf<T extends object>(reader: ConfigReader, value: T): T | ConfigError {
  return reader.error === undefined ? value : { error: reader.error };
}
