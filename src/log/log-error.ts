// Why the log refuses: a closed list, so that who answers a client picks the status by reason and never by text.

/**
 * `overloaded`: too much waits for the disk. `blocked`: the disk did not answer in time; the record may yet be kept. `limit`: the log
 * has reached its size and nothing can go. `diskFull`, `disk`: the file system refused. `tooLarge`: the record itself. `format`: written
 * by a newer version. `closed`: nobody serves the log any more.
 */
export type LogRefusal = "overloaded" | "blocked" | "limit" | "diskFull" | "disk" | "tooLarge" | "format" | "closed";

export class LogError extends Error {
  readonly reason: LogRefusal;
  /** Of what was `blocked`: where each record is, should it be kept. */
  readonly offsets: readonly number[] | undefined;

  constructor(reason: LogRefusal, message: string, more: { readonly cause?: unknown; readonly offsets?: readonly number[] } = {}) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause });
    this.name = "LogError";
    this.reason = reason;
    this.offsets = more.offsets;
  }
}

const NO_SPACE = ["ENOSPC", "EDQUOT", "EFBIG"];

/** What a failed operation of the disk means to who appends. */
export function diskRefusal(error: unknown): LogError {
  if (error instanceof LogError) return error;
  const code = (error as NodeJS.ErrnoException).code ?? "";
  if (NO_SPACE.includes(code)) return new LogError("diskFull", "the disk of the event log is full: free some space, it goes on by itself", { cause: error });
  return new LogError("disk", `the disk of the event log failed: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
}
