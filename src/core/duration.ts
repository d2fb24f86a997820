// Durations in Go's text form ("1h2m3.5s"), the form of every Knative setting and annotation.

const UNIT_NS: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  µs: 1_000n,
  μs: 1_000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
};

/** Nanoseconds, or undefined when Go's `time.ParseDuration` would refuse the text. */
export function parseDurationNs(text: string): bigint | undefined {
  const match = /^([+-]?)(.*)$/s.exec(text);
  const sign = match?.[1] === "-" ? -1n : 1n;
  const body = match?.[2] ?? "";
  if (body === "0") return 0n;
  if (!/^(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+$/.test(body)) return undefined;
  let total = 0n;
  for (const [, whole = "", fraction = "", unit = ""] of body.matchAll(/(\d*)(?:\.(\d*))?(ns|us|µs|μs|ms|s|m|h)/g)) {
    const scale = UNIT_NS[unit] ?? 0n;
    total += BigInt(whole === "" ? "0" : whole) * scale;
    if (fraction !== "") total += (BigInt(fraction) * scale) / 10n ** BigInt(fraction.length);
  }
  return total > 0x7fff_ffff_ffff_ffffn ? undefined : sign * total;
}

/** Milliseconds (with a fraction for smaller parts), or undefined when the text is not a Go duration. */
export function parseDurationMs(text: string): number | undefined {
  const ns = parseDurationNs(text);
  return ns === undefined ? undefined : Number(ns) / 1e6;
}

/** Go's `Duration.String()`: "1h0m0s", "1.5s", "100ms", "0s". */
export function formatDurationMs(ms: number): string {
  if (ms === 0) return "0s";
  const sign = ms < 0 ? "-" : "";
  const ns = Math.round(Math.abs(ms) * 1e6);
  if (ns < 1_000) return `${sign}${ns}ns`;
  if (ns < 1_000_000) return `${sign}${ns / 1_000}µs`;
  if (ns < 1_000_000_000) return `${sign}${ns / 1_000_000}ms`;
  const seconds = ns / 1e9;
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor((seconds % 3600) / 60);
  const rest = Number((seconds - hours * 3600 - minutes * 60).toFixed(9));
  return `${sign}${hours > 0 ? `${hours}h` : ""}${hours > 0 || minutes > 0 ? `${minutes}m` : ""}${rest}s`;
}
