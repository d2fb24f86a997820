// When a request's time is up: the three limits of a revision (serving.md 4.4) as one moment.

/** A limit of 0 is off, but for `timeoutMs`. */
export interface TimeLimits {
  readonly timeoutMs: number;
  readonly responseStartTimeoutMs: number;
  readonly idleTimeoutMs: number;
}

/** Where a request stands; monotonic milliseconds. */
export interface Progress {
  readonly arrivedMs: number;
  /** When something of the response was last sent; `arrivedMs` before. Kept up only where `idleTimeoutMs` asks for it. */
  readonly wroteMs: number;
  /** Something of the response was sent. */
  readonly wrote: boolean;
  /** Until when the present step, connecting or waiting again, must have come to an end; undefined without such a step. */
  readonly stepDueMs: number | undefined;
}

/** When the request must be looked at again. */
export function nextDueMs(limits: TimeLimits, progress: Progress): number {
  const due = deadlineMs(limits, progress);
  return progress.stepDueMs === undefined ? due : Math.min(due, progress.stepDueMs);
}

/**
 * The moment at which the request ends by a limit, as things stand. One clock runs from the arrival on, through queue and retries;
 * the idle limit counts from the last octet of the response, so that it also ends what never began.
 */
export function deadlineMs(limits: TimeLimits, { arrivedMs, wroteMs, wrote }: Progress): number {
  const { timeoutMs, responseStartTimeoutMs, idleTimeoutMs } = limits;
  let due = arrivedMs + timeoutMs;
  if (responseStartTimeoutMs > 0 && !wrote) due = Math.min(due, arrivedMs + responseStartTimeoutMs);
  if (idleTimeoutMs > 0) due = Math.min(due, wroteMs + idleTimeoutMs);
  return due;
}
