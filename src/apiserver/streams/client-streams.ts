// What a framing gives to those who run commands: the client's streams, and how it is told the end.
import type { Readable, Writable } from "node:stream";

export interface TerminalSize {
  readonly width: number;
  readonly height: number;
}

/** Which streams a client asks for. */
export interface WantedStreams {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly tty: boolean;
}

/** The client's side of a command, whatever the framing. */
export interface ClientStreams {
  readonly stdin: Readable | undefined;
  readonly stdout: Writable | undefined;
  readonly stderr: Writable | undefined;
  readonly sizes: AsyncIterable<TerminalSize>;
  /** Aborts when the client has gone. */
  readonly gone: AbortSignal;
  /** Tells the end and closes the connection. */
  finish(end: CommandEnd): Promise<void>;
}

/** Success, or the Status that the error stream carries. */
export type CommandEnd = "success" | CommandFailure;

/** The text of the error stream; undefined for nothing to say. Older protocols know no Status. */
export function endText(end: CommandEnd, statusInJson: boolean): string | undefined {
  if (statusInJson) return JSON.stringify(end === "success" ? { metadata: {}, status: "Success" } : end.status);
  return end === "success" ? undefined : end.message;
}

export interface CommandFailure {
  readonly message: string;
  /** `metav1.Status` with reasons beyond those of the API. */
  readonly status: object;
}
