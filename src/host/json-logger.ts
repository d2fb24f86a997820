// The real log: one JSON line a call, by pino, in a file with a limit.
import { closeSync, fstatSync, openSync, renameSync, writeSync } from "node:fs";
import { pino } from "pino";
import type { LogFields, Logger } from "#core";

interface Sink {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
  child(fields: LogFields): Sink;
}

export interface JsonLoggerOptions {
  /** Lines are appended to this file, readable by its owner only. */
  readonly path: string;
  readonly level: "debug" | "info" | "warn" | "error";
  readonly name: string;
  /** A larger file becomes `<path>.1`, in place of the one before, and a new one begins. */
  readonly bytesMax?: number;
}

const BYTES_MAX = 10 << 20;

/** Each line is written before the call returns, so that the last words before an end are there; `err` fields come with their stacks. */
export function createJsonLogger(options: JsonLoggerOptions): Logger {
  const sink = pino(
    {
      name: options.name,
      level: options.level,
      base: { name: options.name },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    boundedFile(options.path, options.bytesMax ?? BYTES_MAX),
  );
  return wrap(sink);
}

function boundedFile(path: string, bytesMax: number): { write(line: string): void } {
  const open = (): number => openSync(path, "a", 0o600);
  let fd = open();
  let bytes = fstatSync(fd).size;
  return {
    write(line) {
      if (bytes >= bytesMax) {
        closeSync(fd);
        renameSync(path, `${path}.1`);
        fd = open();
        bytes = 0;
      }
      try {
        bytes += writeSync(fd, line);
      } catch (error) {
        // A full disk takes the log's lines, and not the process with them.
        if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
      }
    },
  };
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
