// Ages as tables show them.

const SECOND = 1000;
const MINUTE = 60;
const HOUR = 3600;
const DAY = 86_400;
const YEAR = 365 * DAY;

interface Scale {
  /** Applies below so many seconds. */
  readonly below: number;
  readonly unit: number;
  readonly suffix: string;
  /** The smaller unit that is shown behind, when it is not zero. */
  readonly rest?: readonly [number, string];
}

const SCALES: readonly Scale[] = [
  { below: 2 * MINUTE, unit: 1, suffix: "s" },
  { below: 10 * MINUTE, unit: MINUTE, suffix: "m", rest: [1, "s"] },
  { below: 3 * HOUR, unit: MINUTE, suffix: "m" },
  { below: 8 * HOUR, unit: HOUR, suffix: "h", rest: [MINUTE, "m"] },
  { below: 2 * DAY, unit: HOUR, suffix: "h" },
  { below: 8 * DAY, unit: DAY, suffix: "d", rest: [HOUR, "h"] },
  { below: 2 * YEAR, unit: DAY, suffix: "d" },
  { below: 8 * YEAR, unit: YEAR, suffix: "y", rest: [DAY, "d"] },
  { below: Number.POSITIVE_INFINITY, unit: YEAR, suffix: "y" },
];

/** `ms` in at most two units: 95s, 5m30s, 3h, 2d4h, 1y20d. */
export function humanDuration(ms: number): string {
  const seconds = Math.trunc(ms / SECOND);
  if (seconds < -1) return "<invalid>";
  if (seconds < 0) return "0s";
  const scale = SCALES.find(({ below }) => seconds < below);
  if (scale === undefined) return "<invalid>";
  const whole = Math.floor(seconds / scale.unit);
  const [unit, suffix] = scale.rest ?? [1, ""];
  const rest = scale.rest === undefined ? 0 : Math.floor((seconds % scale.unit) / unit);
  return `${whole}${scale.suffix}${rest === 0 ? "" : `${rest}${suffix}`}`;
}

/** The age of an RFC 3339 time; `<unknown>` without one. */
export function ageOf(time: string | null | undefined, nowMs: number): string {
  return time === undefined || time === null || time === "" ? "<unknown>" : humanDuration(nowMs - Date.parse(time));
}
