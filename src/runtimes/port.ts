// The contract of a runtime with those who look into its pods: commands, output, ports.
import type { Duplex, Readable, Writable } from "node:stream";
import type { Pod } from "#kinds";
import type { LogQuery } from "./pod/pod-logs.ts";

export interface TerminalSize {
  readonly width: number;
  readonly height: number;
}

/** A command in a container, or the container's own process. Its streams may be slow: the command waits. */
export interface RunningCommand {
  /** Undefined when nobody may write. Its end is the end of the command's input. */
  readonly stdin: Writable | undefined;
  readonly stdout: Readable;
  /** Undefined when it is part of `stdout`. */
  readonly stderr: Readable | undefined;
  /** The exit code (128 and the number for an end by a signal), once its output has ended; undefined when the process is the container's own. */
  readonly ended: Promise<number | undefined>;
  resize(size: TerminalSize): void;
  /** Ends the command with all that it has started, or lets go of the container's own process. Again and again is fine. */
  end(): Promise<void>;
}

export interface CommandRequest {
  readonly container: string;
  readonly argv: readonly string[];
  readonly stdin: boolean;
  readonly tty: boolean;
}

/** All failures are StatusErrors in the kubelet's words. */
export interface PodStreams {
  /** Starts a command in the environment of a running container. */
  exec(pod: Pod, request: CommandRequest): Promise<RunningCommand>;
  /** The container's own process: its output from now on, and its input if it asks for one. */
  attach(pod: Pod, request: Pick<CommandRequest, "container" | "stdin">): Promise<RunningCommand>;
  /** Connects to a port of a pod, declared or not. Rejects in the words of Go's `net`. */
  connect(pod: Pod, port: number): Promise<Duplex>;
  /** Chunks of output, while there is a pod. */
  openLogs(pod: Pod, query: LogQuery, signal: AbortSignal): AsyncIterable<Uint8Array>;
}

/** What a container has used since it was started. */
export interface ContainerUsage {
  readonly name: string;
  /** CPU time of all its processes, ended ones included. It only grows, and begins anew with the next start. */
  readonly cpuNanos: number;
  /** Its working set: what it would miss. */
  readonly memoryBytes: number;
  /** When it was looked at, monotonic milliseconds. */
  readonly atMs: number;
}

export interface PodUsage {
  /** A row for each running container, looked at now; nothing is looked at unless asked. Undefined for a pod that does not run here, or where nobody can tell. */
  usageOf(pod: Pod): Promise<readonly ContainerUsage[] | undefined>;
}
