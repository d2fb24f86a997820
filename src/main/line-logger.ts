// A logger for people: one line a message, the fields behind it; for programs in the foreground.
import type { Clock, LogFields, Logger } from "#core";

const LENGTH_MAX = 2000;
/** Lines with the same message within this time are counted instead of shown: one cause has many consequences. */
const SAME_MS = 10_000;

interface Said {
  readonly atMs: number;
  unsaid: number;
}

export interface LineLoggerOptions {
  readonly clock: Pick<Clock, "monotonicMs">;
  readonly write: (line: string) => void;
}

function shown(value: unknown): string {
  if (value instanceof Error) return value.message;
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** Only warnings and errors; each line is at most 2,000 characters. */
export function lineLogger(options: LineLoggerOptions): Logger {
  // As many entries as there are messages, which are constant texts.
  return withFields(options, {}, new Map());
}

function withFields(options: LineLoggerOptions, base: LogFields, said: Map<string, Said>): Logger {
  const at =
    (level: string) =>
    (message: string, fields: LogFields = {}): void => {
      const nowMs = options.clock.monotonicMs();
      const before = said.get(message);
      if (before !== undefined && nowMs < before.atMs + SAME_MS) {
        before.unsaid++;
        return;
      }
      said.set(message, { atMs: nowMs, unsaid: 0 });
      const words = Object.entries({ ...base, ...fields }).flatMap(([key, value]) => (value === undefined ? [] : [`${key}=${shown(value)}`]));
      const more = before === undefined || before.unsaid === 0 ? "" : ` (and ${before.unsaid} more before)`;
      options.write(`${level}: ${[message + more, ...words].join("  ")}`.replaceAll(/\s*\n\s*/g, " | ").slice(0, LENGTH_MAX));
    };
  const quiet = (): void => {};
  return { debug: quiet, info: quiet, warn: at("warning"), error: at("error"), with: (fields) => withFields(options, { ...base, ...fields }, said) };
}
