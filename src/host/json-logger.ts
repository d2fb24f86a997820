// The real log: one JSON line a call, by pino.
import { pino } from "pino";
import type { LogFields, Logger } from "#core";

interface Sink {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
  child(fields: LogFields): Sink;
}

/** Lines go to the file descriptor, without blocking on a slow reader; `err` fields are written with their stacks. */
export function createJsonLogger(options: { readonly fd: number; readonly level: "debug" | "info" | "warn" | "error"; readonly name: string }): Logger {
  const sink = pino(
    {
      name: options.name,
      level: options.level,
      base: { name: options.name },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    pino.destination({ fd: options.fd, sync: true }),
  );
  return wrap(sink);
}

function wrap(sink: Sink): Logger {
  return {
    debug: (message, fields = {}) => sink.debug(fields, message),
    info: (message, fields = {}) => sink.info(fields, message),
    warn: (message, fields = {}) => sink.warn(fields, message),
    error: (message, fields = {}) => sink.error(fields, message),
    with: (fields) => wrap(sink.child(fields)),
  };
}
