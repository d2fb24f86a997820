// Errors of the command line: a text, the command that would help, and an exit code that scripts can tell apart.
import { StatusError, type StatusReason } from "#core";

export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  notFound: 3,
  exists: 4,
  forbidden: 5,
  timedOut: 6,
  notReady: 7,
  buildFailed: 8,
  unreachable: 10,
  interrupted: 130,
} as const;

export type ExitName = keyof typeof EXIT;

export class CliError extends Error {
  readonly exit: ExitName;
  /** The command or the step that would help; printed on a line of its own. */
  readonly hint: string | undefined;

  constructor(exit: ExitName, message: string, options: { readonly hint?: string; readonly cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "CliError";
    this.exit = exit;
    this.hint = options.hint;
  }
}

const EXIT_OF_REASON: Readonly<Partial<Record<StatusReason, ExitName>>> = {
  NotFound: "notFound",
  AlreadyExists: "exists",
  Conflict: "exists",
  Unauthorized: "forbidden",
  Forbidden: "forbidden",
  BadRequest: "usage",
  Invalid: "usage",
};

/** Any error as one that can be printed. */
export function toCliError(error: unknown): CliError {
  if (error instanceof CliError) return error;
  if (error instanceof StatusError) {
    if (error.code === 503) return new CliError("unreachable", error.message, { hint: "eider status", cause: error });
    return new CliError(EXIT_OF_REASON[error.reason] ?? "failed", error.message, { cause: error });
  }
  return new CliError("failed", error instanceof Error ? error.message : String(error), { cause: error });
}
