// A logger that hands each line to somebody else: threads log through the control thread.
import type { LogFields, Logger } from "#core";

type Level = "info" | "warn" | "error";

export function messageLogger(emit: (level: Level, message: string, fields: LogFields) => void, base: LogFields = {}): Logger {
  const at =
    (level: Level) =>
    (message: string, fields: LogFields = {}): void =>
      emit(level, message, clonable({ ...base, ...fields }));
  return { debug: () => undefined, info: at("info"), warn: at("warn"), error: at("error"), with: (fields) => messageLogger(emit, { ...base, ...fields }) };
}

/** Errors as texts; what else is in fields is plain data. */
function clonable(fields: LogFields): LogFields {
  return Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, value instanceof Error ? (value.stack ?? value.message) : value]));
}
