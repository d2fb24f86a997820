// Timestamps between RFC 3339 and seconds with nanoseconds, as protobuf has them.
import { isTimestamp } from "./validate.ts";

export interface Instant {
  readonly seconds: bigint;
  readonly nanos: number;
}

const SECONDS_MIN = -62_135_596_800n;
const SECONDS_MAX = 253_402_300_799n;

/** In UTC, with as many digits as it needs in threes. Undefined outside of the years 1 to 9999. */
export function timestampOf(seconds: bigint, nanos: number): string | undefined {
  if (seconds < SECONDS_MIN || seconds > SECONDS_MAX || nanos < 0 || nanos > 999_999_999) return undefined;
  const whole = new Date(Number(seconds) * 1000).toISOString().slice(0, 19);
  if (nanos === 0) return `${whole}Z`;
  return `${whole}.${String(nanos)
    .padStart(9, "0")
    .replace(/^(...)(000000)$|^(......)(000)$/, "$1$3")}Z`;
}

/** Undefined: no timestamp, or one that nanoseconds cannot tell. */
export function nanosecondsOf(text: string): Instant | undefined {
  if (!isTimestamp(text)) return undefined;
  const fraction = /\.(\d+)/.exec(text)?.[1] ?? "";
  if (fraction.length > 9) return undefined;
  const seconds = BigInt(Math.floor(Date.parse(text.replace(/\.\d+/, "").toUpperCase()) / 1000));
  return seconds < SECONDS_MIN || seconds > SECONDS_MAX ? undefined : { seconds, nanos: Number(fraction.padEnd(9, "0")) };
}
