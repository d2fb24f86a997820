// A logger for people: one line a message, the fields behind it; for programs in the foreground.
import type { LogFields, Logger } from "#core";

const LENGTH_MAX = 2000;

function shown(value: unknown): string {
  if (value instanceof Error) return value.message;
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** Only warnings and errors; each line is at most 2,000 characters. */
export function lineLogger(write: (line: string) => void, base: LogFields = {}): Logger {
  const at =
    (level: string) =>
    (message: string, fields: LogFields = {}): void => {
      const words = Object.entries({ ...base, ...fields }).flatMap(([key, value]) => (value === undefined ? [] : [`${key}=${shown(value)}`]));
      write(`${level}: ${[message, ...words].join("  ")}`.replaceAll(/\s*\n\s*/g, " | ").slice(0, LENGTH_MAX));
    };
  return { debug: () => {}, info: () => {}, warn: at("warning"), error: at("error"), with: (fields) => lineLogger(write, { ...base, ...fields }) };
}
