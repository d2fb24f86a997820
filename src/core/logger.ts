// The log as an interface: one constant message and fields a call; `host` makes the real one.

export type LogFields = Readonly<Record<string, unknown>>;

/** `info` is a change of state, `warn` heals itself, `error` wants a person. Messages are constant and lower-case. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A logger that adds `fields` to every line. */
  with(fields: LogFields): Logger;
}

/** Drops everything; for tests and for code that nobody listens to. */
export const silentLogger: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  with() {
    return silentLogger;
  },
};
